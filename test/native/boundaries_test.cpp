// Every op on float32 tensors, with every instruction set this machine has, on planes that end within a
// vector: it touches nothing but its tensors (guarded.h), and what it computes does not depend on what lies
// between the images of a slice. The ops on codes have the same sizes in tests of their own, which compare
// all memory.
// Also run through SIMDe.
#include <cstring>
#include <deque>
#include <set>
#include <string>

#include "check.h"
#include "core/ops.h"
#include "float_cases.h"

using namespace ristretto;

namespace {

constexpr int64_t kImages = 2, kClasses = 4;
constexpr TrimFormat kFormat = {
    .kind = FormatKind::dynamic_fixed_point, .bit_width = 8, .fractional_length = 4};

// The tensors of one run: numbers drawn from the same seed, and `filling` in the gaps between the images of
// slices, which no run may change.
class Tensors {
 public:
  const int64_t C, H, W;

  Tensors(int64_t channels, cases::PlaneSize plane, bool slices, float filling)
      : C(channels), H(plane.h), W(plane.w), gap_(slices ? 7 : 0), filling_(filling), random_(17) {}

  // A slice, where this run has slices.
  Tensor images(std::initializer_list<int64_t> dims) {
    Tensor t = Tensor::of(nullptr, dims);
    t.image_stride += gap_;
    return place(t);
  }
  Tensor blob() { return images({kImages, C, H, W}); }
  Tensor dense(std::initializer_list<int64_t> dims) { return place(Tensor::of(nullptr, dims)); }
  Tensor dense_blob() { return dense({kImages, C, H, W}); }
  // Not below 0.125.
  Tensor positive(std::initializer_list<int64_t> dims) {
    const Tensor t = dense(dims);
    for (int64_t i = 0; i < t.count(); ++i) t.f32()[i] = std::fabs(t.f32()[i]) + 0.125f;
    return t;
  }
  Tensor labels(int64_t count, int64_t classes) {
    const Tensor t = dense({count});
    for (int64_t i = 0; i < count; ++i) t.f32()[i] = float(random_.integer(0, classes - 1));
    return t;
  }
  Tensor integers(int64_t count) {
    Tensor t = dense({count});
    t.type = DataType::i32;
    std::memset(t.data, 0, size_t(count) * sizeof(int32_t));
    return t;
  }

  // Of all tensors, gaps left out.
  std::vector<uint32_t> bits() const {
    std::vector<uint32_t> all;
    for (const Tensor& t : tensors_)
      for (int64_t n = 0; n < t.images(); ++n) {
        const float* image = t.image(n);
        const size_t begin = all.size(), count = size_t(t.image_count());
        all.resize(begin + count);
        if (count) std::memcpy(all.data() + begin, image, count * sizeof(float));
        if (n + 1 == t.images()) continue;
        for (const float* x = image + count; x < t.image(n + 1); ++x)
          CHECK(std::memcmp(x, &filling_, sizeof filling_) == 0, "a gap holds ", *x);
      }
    return all;
  }

 private:
  Tensor place(Tensor t) {
    const int64_t last = t.images() - 1;
    guarded::vector<float>& memory = memory_.emplace_back(size_t(last * t.image_stride + t.image_count()));
    t.data = memory.data();
    std::fill(memory.begin(), memory.end(), filling_);
    for (int64_t n = 0; n <= last; ++n)
      for (int64_t i = 0; i < t.image_count(); ++i) t.image(n)[i] = random_.uniform();
    tensors_.push_back(t);
    return t;
  }

  const int64_t gap_;
  const float filling_;
  cases::Random random_;
  std::deque<guarded::vector<float>> memory_;
  std::vector<Tensor> tensors_;
};

// The names of the ops that were run.
std::set<std::string> met;

template <class Op>
void run(Context& context, const typename Op::Arguments& arguments) {
  met.insert(Op::name);
  Op::check(arguments);
  Op::run(context, arguments);
}

// One window over the plane, or as many as pixels; the plane of what it makes.
struct Windows {
  int64_t kernel, stride, pad;
  int64_t along(int64_t length) const { return (length + 2 * pad - kernel) / stride + 1; }
  template <class Arguments>
  void put(Arguments& a) const {
    a.stride_h = a.stride_w = stride, a.pad_h = a.pad_w = pad;
  }
};
constexpr Windows kWindows[] = {{1, 1, 0}, {1, 2, 0}, {3, 1, 1}, {3, 2, 1}, {1, 1, 1}};

void convolutions(Tensors& t, Context& context) {
  for (const Windows& w : kWindows)
    for (const int64_t group : {int64_t{1}, t.C}) {
      const int64_t K = group == 1 ? 5 : t.C, P = w.along(t.H), Q = w.along(t.W);
      for (const bool trims : {false, true}) {
        ConvolutionArguments a;
        a.src = t.blob(), a.dst = t.images({kImages, K, P, Q});
        a.weights = t.dense({K, t.C / group, w.kernel, w.kernel}), a.bias = t.dense({K});
        w.put(a), a.group = group, a.winograd = true;
        if (trims) a.src_trim = a.dst_trim = kFormat;
        run<Convolution>(context, a);
      }
      ConvolutionGradientArguments g;
      g.src = t.blob(), g.dst_diff = t.images({kImages, K, P, Q}), g.src_diff = t.blob();
      g.weights = t.dense({K, t.C / group, w.kernel, w.kernel});
      g.weights_diff = t.dense({K, t.C / group, w.kernel, w.kernel}), g.bias_diff = t.dense({K});
      w.put(g), g.group = group, g.winograd = true;
      run<ConvolutionGradient>(context, g);
    }
}

void deconvolutions(Tensors& t, Context& context) {
  for (const Windows& w : {Windows{1, 1, 0}, Windows{3, 1, 1}, Windows{3, 2, 0}})
    for (const int64_t group : {int64_t{1}, t.C}) {
      const int64_t K = group == 1 ? 5 : t.C;
      const auto across = [&](int64_t length) { return w.stride * (length - 1) + w.kernel - 2 * w.pad; };
      for (const bool trims : {false, true}) {
        DeconvolutionArguments a;
        a.src = t.blob(), a.dst = t.images({kImages, K, across(t.H), across(t.W)});
        a.weights = t.dense({t.C, K / group, w.kernel, w.kernel}), a.bias = t.dense({K});
        w.put(a), a.group = group;
        if (trims) a.src_trim = a.dst_trim = kFormat;
        run<Deconvolution>(context, a);
      }
      DeconvolutionGradientArguments g;
      g.src = t.blob(), g.src_diff = t.blob(), g.dst_diff = t.images({kImages, K, across(t.H), across(t.W)});
      g.weights = t.dense({t.C, K / group, w.kernel, w.kernel});
      g.weights_diff = t.dense({t.C, K / group, w.kernel, w.kernel}), g.bias_diff = t.dense({K});
      w.put(g), g.group = group;
      run<DeconvolutionGradient>(context, g);
    }
}

void columns_to_images(Tensors& t, Context& context) {
  Col2imArguments a;
  a.src = t.images({kImages, t.C * 9, t.H, t.W}), a.dst = t.blob();
  a.kernel_h = a.kernel_w = 3, a.pad_h = a.pad_w = 1;
  run<Col2im>(context, a);
}

void inner_products(Tensors& t, Context& context) {
  const int64_t K = t.C * t.H * t.W, N = 5;
  for (const bool transpose : {false, true}) {
    InnerProductArguments a;
    a.src = t.images({kImages, K}), a.dst = t.images({kImages, N}), a.bias = t.dense({N});
    a.weights = transpose ? t.dense({K, N}) : t.dense({N, K});
    a.transpose = transpose;
    run<InnerProduct>(context, a);
    a.src_trim = a.dst_trim = kFormat;
    run<InnerProduct>(context, a);
    InnerProductGradientArguments g;
    g.src = t.images({kImages, K}), g.dst_diff = t.images({kImages, N}), g.src_diff = t.images({kImages, K});
    g.weights = a.weights, g.bias_diff = t.dense({N});
    g.weights_diff = transpose ? t.dense({K, N}) : t.dense({N, K});
    g.transpose = transpose;
    run<InnerProductGradient>(context, g);
  }
}

void poolings(Tensors& t, Context& context) {
  for (const Windows& w : {Windows{1, 2, 0}, Windows{2, 1, 1}, Windows{3, 2, 1}, Windows{3, 3, 2}})
    for (const PoolingKind kind :
         {PoolingKind::max, PoolingKind::average, PoolingKind::weighted, PoolingKind::sampled})
      for (const bool mask : {false, true}) {
        if (mask && kind != PoolingKind::max) continue;
        const int64_t P = w.along(t.H), Q = w.along(t.W);
        PoolingArguments a;
        a.src = t.blob(), a.dst = t.images({kImages, t.C, P, Q});
        if (mask) a.mask = t.images({kImages, t.C, P, Q});
        a.kind = kind, a.kernel_h = a.kernel_w = w.kernel;
        w.put(a);
        run<Pooling>(context, a);
        for (const bool accumulate : {false, true}) {
          PoolingGradientArguments g;
          g.src = a.src, g.dst_diff = t.images({kImages, t.C, P, Q}), g.src_diff = t.blob();
          g.kind = kind, g.kernel_h = g.kernel_w = w.kernel, g.accumulate = accumulate;
          w.put(g);
          run<PoolingGradient>(context, g);
        }
      }
  PoolingArguments whole;
  whole.src = t.blob(), whole.dst = t.images({kImages, t.C, 1, 1});
  whole.kernel_h = t.H, whole.kernel_w = t.W;
  run<Pooling>(context, whole);
}

void local_responses(Tensors& t, Context& context) {
  for (const LrnRegion region : {LrnRegion::across_channels, LrnRegion::within_channel}) {
    LrnArguments a;
    a.src = t.blob(), a.dst = t.blob(), a.region = region;
    run<Lrn>(context, a);
    run<LrnGradient>(context,
                     {.src = t.blob(), .dst_diff = t.blob(), .src_diff = t.blob(), .region = region});
  }
  LrnArguments trimmed;
  trimmed.src = t.blob(), trimmed.dst = t.blob();
  trimmed.trim = {.kind = FormatKind::minifloat, .mantissa_bits = 7, .exponent_bits = 5};
  run<Lrn>(context, trimmed);
}

void statistics(Tensors& t, Context& context) {
  for (const bool update : {false, true}) {
    BatchNormArguments b;
    b.src = t.blob(), b.dst = t.blob(), b.update = update;
    b.mean = t.dense({t.C}), b.variance = t.positive({t.C}), b.weight = t.positive({1});
    b.used = t.dense({2, t.C});
    run<BatchNorm>(context, b);
    run<BatchNormGradient>(
        context, {.src = b.src, .dst_diff = t.blob(), .src_diff = t.blob(), .used = b.used, .batch = update});
  }
  run<Mvn>(context, {.src = t.dense_blob(), .dst = t.dense_blob(), .rows = kImages * t.C});
  run<MvnGradient>(
      context,
      {.src = t.dense_blob(), .dst_diff = t.dense_blob(), .src_diff = t.dense_blob(), .rows = kImages * t.C});
}

void channel_maps(Tensors& t, Context& context) {
  run<Affine>(context, {.src = t.blob(),
                        .dst = t.blob(),
                        .scale = t.dense({t.C}),
                        .bias = t.dense({t.C}),
                        .axis = 1,
                        .axes = 1});
  run<AffineGradient>(context, {.src = t.blob(),
                                .dst_diff = t.blob(),
                                .scale_diff = t.dense({t.C}),
                                .bias_diff = t.dense({t.C}),
                                .axis = 1,
                                .axes = 1});
  for (const int64_t slopes : {t.C, int64_t{1}}) {
    run<Prelu>(context, {.src = t.blob(), .dst = t.blob(), .slope = t.dense({slopes})});
    run<PreluGradient>(context, {.src = t.blob(),
                                 .slope = t.dense({slopes}),
                                 .dst_diff = t.blob(),
                                 .src_diff = t.blob(),
                                 .slope_diff = t.dense({slopes})});
  }
}

void element_by_element(Tensors& t, Context& context) {
  for (int f = 0; f <= int(UnaryFunction::threshold); ++f) {
    const UnaryFunction function = UnaryFunction(f);
    run<Unary>(context,
               {.src = t.blob(), .dst = t.blob(), .function = function, .a = 0.25f, .b = 2, .c = 1.5f});
    if (function != UnaryFunction::threshold)
      run<UnaryGradient>(context, {.values = t.blob(),
                                   .dst_diff = t.blob(),
                                   .src_diff = t.blob(),
                                   .function = function,
                                   .a = 0.25f,
                                   .b = 2,
                                   .c = 1.5f});
  }
  for (const EltwiseOperation operation :
       {EltwiseOperation::sum, EltwiseOperation::product, EltwiseOperation::maximum}) {
    EltwiseArguments e;
    e.srcs = {t.blob(), t.blob(), t.blob()}, e.dst = t.blob(), e.operation = operation;
    run<Eltwise>(context, e);
    EltwiseGradientArguments g;
    g.srcs = e.srcs, g.dst_diff = t.blob(), g.operation = operation;
    g.src_diffs = {t.blob(), t.blob(), t.blob()}, g.indices = {0, 1, 2};
    run<EltwiseGradient>(context, g);
  }
  run<Dropout>(context, {.src = t.dense_blob(), .dst = t.dense_blob(), .ratio = 0.5f, .random = {}});
  ElementwiseArguments e;
  e.operands = {t.dense_blob(), t.dense_blob()};
  for (int operation = 0; operation <= int(StepOperation::minimum); ++operation)
    e.steps.push_back({.operation = StepOperation(operation), .dst = 0, .a = 0, .b = 1});
  run<Elementwise>(context, e);
  for (const FormatKind kind :
       {FormatKind::dynamic_fixed_point, FormatKind::minifloat, FormatKind::integer_power_of_two})
    for (const Rounding rounding : {Rounding::half_away_from_zero, Rounding::stochastic}) {
      TrimArguments a;
      a.src = t.blob(), a.dst = t.blob();
      a.format = kFormat;
      a.format.kind = kind, a.format.rounding = rounding;
      a.format.mantissa_bits = 3, a.format.exponent_bits = 4;
      a.format.exponent_min = -6, a.format.exponent_max = 3;
      run<Trim>(context, a);
    }
}

void sums_and_copies(Tensors& t, Context& context) {
  for (const ReduceOperation operation :
       {ReduceOperation::sum, ReduceOperation::absolute_sum, ReduceOperation::square_sum}) {
    const int64_t rows = kImages * t.C;
    run<Reduce>(context, {.src = t.dense_blob(), .dst = t.dense({rows}), .operation = operation});
    run<ReduceGradient>(context, {.src = t.dense_blob(),
                                  .dst_diff = t.dense({rows}),
                                  .src_diff = t.dense_blob(),
                                  .operation = operation});
  }
  run<SumOfSquares>(context, {.srcs = {t.dense_blob(), t.dense_blob()}, .dst = t.integers(2)});
  RangeArguments range;
  range.src = t.blob(), range.extremes = t.dense({3}), range.format = kFormat;
  range.counts = t.integers(3), range.exponents = t.integers(256);
  run<Range>(context, range);
  run<Copy>(context, {.src = t.dense_blob(), .dst = t.dense_blob()});
  for (const bool accumulate : {false, true}) {
    CopyStridedArguments c;
    c.src = t.dense_blob(), c.dst = t.dense_blob(), c.accumulate = accumulate;
    c.counts = {kImages, t.C, t.H, t.W};
    c.src_strides = c.dst_strides = {t.C * t.H * t.W, t.H * t.W, t.W, 1};
    run<CopyStrided>(context, c);
  }
  run<GatherRows>(context, {.table = t.dense({kClasses, t.C * t.H * t.W}),
                            .index = t.labels(kImages, kClasses),
                            .bias = t.dense({t.C * t.H * t.W}),
                            .dst = t.dense_blob()});
  run<ScatterRows>(context, {.src = t.dense_blob(),
                             .index = t.labels(kImages, kClasses),
                             .table = t.dense({kClasses, t.C * t.H * t.W}),
                             .bias = t.dense({t.C * t.H * t.W})});
}

void losses(Tensors& t, Context& context) {
  run<Softmax>(context, {.src = t.dense_blob(), .dst = t.dense_blob()});
  run<SoftmaxGradient>(context,
                       {.dst = t.dense_blob(), .dst_diff = t.dense_blob(), .src_diff = t.dense_blob()});
  const int64_t places = kImages * t.H * t.W;
  for (const LabelLossKind kind : {LabelLossKind::logarithm, LabelLossKind::hinge_l1, LabelLossKind::hinge_l2,
                                   LabelLossKind::infogain}) {
    LabelLossArguments l;
    l.src = t.positive({kImages, t.C, t.H, t.W}), l.labels = t.labels(places, t.C), l.dst = t.dense({1});
    l.kind = kind, l.floor = 1e-20f;
    if (kind == LabelLossKind::infogain) l.gain = t.dense({t.C, t.C});
    run<LabelLoss>(context, l);
    LabelLossGradientArguments g;
    g.src = l.src, g.labels = l.labels, g.dst_diff = t.dense({1}), g.src_diff = t.dense_blob();
    g.kind = kind, g.floor = l.floor, g.gain = l.gain, g.through_softmax = kind == LabelLossKind::infogain;
    run<LabelLossGradient>(context, g);
  }
  for (const PairLossKind kind : {PairLossKind::euclidean, PairLossKind::sigmoid_cross_entropy}) {
    run<PairLoss>(context,
                  {.src = t.dense_blob(), .target = t.dense_blob(), .dst = t.dense({1}), .kind = kind});
    PairLossGradientArguments g;
    g.src = t.dense_blob(), g.target = t.dense_blob(), g.dst_diff = t.dense({1}), g.kind = kind;
    g.src_diff = t.dense_blob();
    if (kind == PairLossKind::euclidean) g.target_diff = t.dense_blob();
    run<PairLossGradient>(context, g);
  }
  ContrastiveLossArguments c;
  c.a = t.dense_blob(), c.b = t.dense_blob(), c.similar = t.labels(kImages, 2), c.dst = t.dense({1});
  run<ContrastiveLoss>(context, c);
  run<ContrastiveLossGradient>(context, {.a = c.a,
                                         .b = c.b,
                                         .similar = c.similar,
                                         .dst_diff = t.dense({1}),
                                         .a_diff = t.dense_blob(),
                                         .b_diff = t.dense_blob()});
  run<Accuracy>(context, {.src = t.dense_blob(),
                          .labels = t.labels(places, t.C),
                          .dst = t.dense({1}),
                          .per_class = t.dense({t.C})});
  run<ArgMax>(context, {.src = t.dense_blob(),
                        .dst = t.dense({kImages, 1, t.H, t.W}),
                        .outer = kImages,
                        .length = t.C,
                        .inner = t.H * t.W});
}

constexpr void (*kAll[])(Tensors& t, Context& context) = {
    convolutions, deconvolutions, columns_to_images,  inner_products,  poolings, local_responses,
    statistics,   channel_maps,   element_by_element, sums_and_copies, losses};

// Asked for an op's fields: whether one is a tensor of codes.
struct CodesFinder {
  FieldSpec spec;
  bool found = false;
  template <class A, class T, class... Rest>
  FieldSpec& operator()(const std::string&, T A::*, Rest...) {
    found |= std::is_same_v<T, CodeTensor>;
    return spec;
  }
};
template <class Op>
bool takes_codes() {
  CodesFinder finder;
  Op::Arguments::fields(finder);
  return finder.found;
}

std::vector<CpuFeatures> levels() {
  std::vector<CpuFeatures> all = {CpuFeatures{}, detect_cpu_features()};
  if (all[1].avx512) {  // AVX2 on its own, too
    all.push_back(all[1]);
    all.back().avx512 = false;
  }
  return all;
}

void check_op(void (*op)(Tensors& t, Context& context)) {
  for (const CpuFeatures& features : levels()) {
    Context context(1, features);
    for (const cases::PlaneSize& plane : cases::kSmallPlanes)
      for (const int64_t channels : cases::kFewChannels)
        for (const bool slices : {false, true}) {
          const auto bits = [&](float filling) {
            Tensors tensors(channels, plane, slices, filling);
            op(tensors, context);
            return tensors.bits();
          };
          CHECK(bits(std::nanf("")) == bits(-1e30f), channels, " channels of ", plane.h, " x ", plane.w,
                slices ? " in slices" : "");
        }
  }
}

}  // namespace

TEST(convolutions_keep_to_their_tensors) { check_op(convolutions); }
TEST(deconvolutions_keep_to_their_tensors) { check_op(deconvolutions); }
TEST(col2im_keeps_to_its_tensors) { check_op(columns_to_images); }
TEST(inner_products_keep_to_their_tensors) { check_op(inner_products); }
TEST(poolings_keep_to_their_tensors) { check_op(poolings); }
TEST(lrn_keeps_to_its_tensors) { check_op(local_responses); }
TEST(batch_norm_and_mvn_keep_to_their_tensors) { check_op(statistics); }
TEST(channel_maps_keep_to_their_tensors) { check_op(channel_maps); }
TEST(elementwise_ops_keep_to_their_tensors) { check_op(element_by_element); }
TEST(sums_and_copies_keep_to_their_tensors) { check_op(sums_and_copies); }
TEST(losses_keep_to_their_tensors) { check_op(losses); }

// Ops on codes, and those whose tensors are not all float32, have tests of their own.
TEST(no_op_is_left_out) {
  Tensors tensors(cases::kFewChannels[0], cases::kSmallPlanes[0], false, 0);
  Context context(1, CpuFeatures{});
  met.clear();
  for (const auto op : kAll) op(tensors, context);
  const std::set<std::string> other = {TransformImages::name, QuantiseTensor::name};
#define OP(Type) CHECK(takes_codes<Type>() || other.count(Type::name) || met.count(Type::name), Type::name);
#include "core/ops.inc"
}
