// Gradients of pooling, normalisation and gathered rows: against what the forward pass chose where they pass
// on whole elements, against differences in double where they are smooth functions.
#include <cmath>
#include <cstring>
#include <functional>

#include "check.h"
#include "core/op/copy/copy_strided.h"
#include "core/op/normalization/batch_norm.h"
#include "core/op/normalization/batch_norm_gradient.h"
#include "core/op/normalization/lrn_gradient.h"
#include "core/op/normalization/mvn_gradient.h"
#include "core/op/pooling/pooling_gradient.h"
#include "core/op/pooling/window_span.h"
#include "core/op/rows/scatter_rows.h"
#include "float_cases.h"

using namespace ristretto;

namespace {

using Values = guarded::vector<float>;
using Objective = std::function<double(const std::vector<double>&)>;

bool same(const Values& a, const Values& b) {
  return a.size() == b.size() && !std::memcmp(a.data(), b.data(), a.size() * sizeof(float));
}

// A tensor whose images may lie apart in `memory`.
Tensor slice(Values& memory, cases::Random& random, bool whole, std::initializer_list<int64_t> dims) {
  Tensor tensor = Tensor::of(nullptr, dims);
  const int64_t gap = random.integer(0, 1) ? random.integer(1, 20) : 0;
  tensor.image_stride += gap;
  memory = random.values(tensor.images() * tensor.image_stride - gap, whole);
  tensor.data = memory.data();
  return tensor;
}

// The elements of a tensor, without gaps.
std::vector<double> elements(const Tensor& tensor) {
  std::vector<double> values;
  for (int64_t n = 0; n < tensor.images(); ++n)
    values.insert(values.end(), tensor.image(n), tensor.image(n) + tensor.image_count());
  return values;
}

std::vector<double> slopes(const Objective& objective, std::vector<double> at) {
  std::vector<double> result(at.size());
  const double step = 1e-5;
  for (size_t i = 0; i < at.size(); ++i) {
    const double x = at[i];
    at[i] = x + step;
    const double up = objective(at);
    at[i] = x - step;
    result[i] = (up - objective(at)) / (2 * step);
    at[i] = x;
  }
  return result;
}

void check_close(const Tensor& actual, const std::vector<double>& expected, double tolerance,
                 const std::string& text) {
  const std::vector<double> values = elements(actual);
  double largest = 1e-3;
  for (double x : expected) largest = std::fmax(largest, std::fabs(x));
  for (size_t i = 0; i < values.size(); ++i)
    CHECK(std::fabs(values[i] - expected[i]) <= tolerance * largest, "element ", i, ": ", values[i], " for ",
          expected[i], " ", text);
}

template <class Op>
bool refuses(const typename Op::Arguments& arguments) {
  try {
    Op::check(arguments);
  } catch (const Error&) {
    return true;
  }
  return false;
}

int64_t windows(int64_t length, int64_t kernel, int64_t stride, int64_t pad) {
  const int64_t count = (length + 2 * pad - kernel + stride - 1) / stride + 1;
  return pad && (count - 1) * stride >= length + pad ? count - 1 : count;
}

struct PoolingCase {
  Values src, dst_diff, src_diff;
  PoolingGradientArguments a;
};

void draw(PoolingCase& c, cases::Random& random, bool padded) {
  PoolingGradientArguments& a = c.a;
  a.kernel_h = random.integer(1, 4), a.kernel_w = random.integer(1, 5);
  a.stride_h = random.integer(1, 3), a.stride_w = random.integer(1, 4);
  a.pad_h = padded ? random.integer(0, a.kernel_h - 1) : 0;
  a.pad_w = padded ? random.integer(0, a.kernel_w - 1) : 0;
  const int64_t N = random.integer(1, 3), C = random.integer(1, 4), H = random.integer(a.kernel_h, 12),
                W = random.integer(a.kernel_w, 40);
  const int64_t P = windows(H, a.kernel_h, a.stride_h, a.pad_h),
                Q = windows(W, a.kernel_w, a.stride_w, a.pad_w);
  a.src = slice(c.src, random, true, {N, C, H, W});
  a.dst_diff = slice(c.dst_diff, random, true, {N, C, P, Q});
  a.src_diff = slice(c.src_diff, random, true, {N, C, H, W});
  a.accumulate = random.integer(0, 1);
}

std::string text_of(const PoolingGradientArguments& a) {
  return check::text("kernel ", a.kernel_h, "x", a.kernel_w, " stride ", a.stride_h, "x", a.stride_w, " pad ",
                     a.pad_h, "x", a.pad_w, " of ", a.src.shape_text(), a.accumulate ? " accumulates" : "",
                     a.rectified ? " rectified" : "");
}

// Runs on one thread and on three from the same start; both must agree, gaps included.
template <class Op>
void run_twice(const typename Op::Arguments& arguments, Values& written) {
  const CpuFeatures features = detect_cpu_features();
  Context one(1, features), three(3, features);
  Op::check(arguments);
  const Values start = written;
  Op::run(three, arguments);
  const Values parallel = written;
  std::copy(start.begin(), start.end(), written.begin());
  Op::run(one, arguments);
  CHECK(same(written, parallel), "threads change the result");
}

PoolingArguments forward_of(const PoolingGradientArguments& a, Values& dst, Values* mask) {
  PoolingArguments f;
  f.src = a.src, f.kind = a.kind, f.random = a.random;
  f.kernel_h = a.kernel_h, f.kernel_w = a.kernel_w, f.stride_h = a.stride_h, f.stride_w = a.stride_w;
  f.pad_h = a.pad_h, f.pad_w = a.pad_w;
  Tensor whole = a.dst_diff;
  whole.image_stride = whole.image_count();
  dst.assign(size_t(whole.count()), 0.0f);
  f.dst = whole, f.dst.data = dst.data();
  if (mask) {
    mask->assign(dst.size(), 0.0f);
    f.mask = whole, f.mask.data = mask->data();
  }
  return f;
}

}  // namespace

TEST(maximum_pooling_passes_on_to_the_places_that_the_forward_pass_names) {
  cases::Random random(3);
  Context context(1, detect_cpu_features());
  int rows_run = 0;
  for (int round = 0; round < 300; ++round) {
    PoolingCase c;
    draw(c, random, true);
    PoolingGradientArguments& a = c.a;
    a.rectified = !a.accumulate && random.integer(0, 1);
    // Ties abound; now and then a NaN, which never wins, and a plane where nothing does.
    if (round % 5 == 0) c.src[random.integer(0, int64_t(c.src.size()) - 1)] = NAN;
    if (round % 7 == 0) std::fill(c.src.begin(), c.src.end(), -INFINITY);
    Values dst, mask, expected = c.src_diff;
    Pooling::run(context, forward_of(a, dst, &mask));
    const int64_t plane = a.src.count(2), outputs = a.dst_diff.count(2), C = a.src.dim[1];
    for (int64_t i = 0; i < a.src.dim[0] * C; ++i) {
      float* to = expected.data() + i / C * a.src_diff.image_stride + i % C * plane;
      if (!a.accumulate) std::fill(to, to + plane, 0.0f);
      for (int64_t o = 0; o < outputs; ++o)
        if (mask[i * outputs + o] >= 0 && (!a.rectified || dst[i * outputs + o] > 0))
          to[int64_t(mask[i * outputs + o])] += (a.dst_diff.image(i / C) + i % C * outputs)[o];
    }
    const Values start = c.src_diff;
    run_twice<PoolingGradient>(a, c.src_diff);
    CHECK(same(c.src_diff, expected), text_of(a));
    for (const auto& row : PoolingGradient::rows()) {
      if (!row.supports(a, context.features)) continue;
      std::copy(start.begin(), start.end(), c.src_diff.begin());
      row.run(context, a);
      CHECK(same(c.src_diff, expected), row.name, " ", text_of(a));
      ++rows_run;
    }
  }
  CHECK(rows_run >= 600, rows_run, " runs of the definition and of the portable kernel at least");
}

TEST(maximum_pooling_of_more_than_caches_hold_agrees_with_the_definition) {
  PoolingGradientArguments a;
  const int64_t N = 3, C = 160, H = 201, W = 199, P = 100, Q = 99;
  Values src(size_t(N * C * H * W)), dst_diff(size_t(N * C * P * Q)), src_diff(src.size());
  uint32_t state = 1;
  for (Values* all : {&src, &dst_diff})
    for (float& x : *all) x = std::max(0.0f, float(int32_t(state = state * 1664525u + 1013904223u)));
  a.src = Tensor::of(src.data(), {N, C, H, W});
  a.dst_diff = Tensor::of(dst_diff.data(), {N, C, P, Q});
  a.src_diff = Tensor::of(src_diff.data(), {N, C, H, W});
  a.kernel_h = a.kernel_w = 3, a.stride_h = a.stride_w = 2;
  a.rectified = true;
  Context context(2, detect_cpu_features());
  pooling_gradient_ref(context, a);
  const Values expected = src_diff;
  run_twice<PoolingGradient>(a, src_diff);
  CHECK(same(src_diff, expected));
}

TEST(sampled_pooling_passes_on_to_the_elements_that_were_drawn) {
  cases::Random random(4);
  Context context(1, detect_cpu_features());
  for (int round = 0; round < 100; ++round) {
    PoolingCase c;
    draw(c, random, false);
    PoolingGradientArguments& a = c.a;
    a.kind = PoolingKind::sampled;
    a.random.seed = 9, a.random.stream = 5, a.random.step = uint32_t(round);
    // Distinct values tell which element was drawn; some windows have no positive sum.
    for (size_t i = 0; i < c.src.size(); ++i) c.src[i] = round % 4 ? float(1 + i) : 0.0f;
    Values dst, expected = c.src_diff;
    Pooling::run(context, forward_of(a, dst, nullptr));
    const int64_t plane = a.src.count(2), outputs = a.dst_diff.count(2), C = a.src.dim[1];
    for (int64_t i = 0; i < a.src.dim[0] * C; ++i) {
      const float* from = a.src.image(i / C) + i % C * plane;
      float* to = expected.data() + i / C * a.src_diff.image_stride + i % C * plane;
      if (!a.accumulate) std::fill(to, to + plane, 0.0f);
      for (int64_t o = 0; o < outputs; ++o)
        if (const float value = dst[i * outputs + o]; value > 0)
          to[int64_t(value - from[0])] += (a.dst_diff.image(i / C) + i % C * outputs)[o];
    }
    run_twice<PoolingGradient>(a, c.src_diff);
    CHECK(same(c.src_diff, expected), text_of(a));
  }
}

TEST(mean_and_weighted_pooling_agree_with_differences) {
  cases::Random random(5);
  for (int round = 0; round < 60; ++round) {
    PoolingCase c;
    const bool mean = round % 2;
    draw(c, random, mean);
    PoolingGradientArguments& a = c.a;
    a.kind = mean ? PoolingKind::average : PoolingKind::weighted;
    for (float& x : c.src) x = std::fabs(random.uniform()) + 0.1f;
    const std::vector<double> before = elements(a.src_diff), diff = elements(a.dst_diff);
    const int64_t H = a.src.dim[2], W = a.src.dim[3], P = a.dst_diff.dim[2], Q = a.dst_diff.dim[3];
    const auto objective = [&](const std::vector<double>& x) {
      double total = 0;
      for (size_t o = 0; o < diff.size(); ++o) {
        const int64_t plane = int64_t(o) / (P * Q), p = int64_t(o) / Q % P, q = int64_t(o) % Q;
        const WindowSpan h = window_span(p, a.stride_h, a.pad_h, a.kernel_h, H);
        const WindowSpan w = window_span(q, a.stride_w, a.pad_w, a.kernel_w, W);
        double sum = 0, squares = 0;
        for (int64_t y = h.begin; y < h.end; ++y)
          for (int64_t s = w.begin; s < w.end; ++s) {
            const double value = x[size_t((plane * H + y) * W + s)];
            sum += value, squares += value * value;
          }
        if (!h.empty() && !w.empty())
          total += diff[o] * (mean ? sum / double(h.padded * w.padded) : squares / sum);
      }
      return total;
    };
    std::vector<double> expected = slopes(objective, elements(a.src));
    if (a.accumulate)
      for (size_t i = 0; i < expected.size(); ++i) expected[i] += before[i];
    run_twice<PoolingGradient>(a, c.src_diff);
    check_close(a.src_diff, expected, 1e-5, text_of(a));
  }
}

TEST(pooling_gradient_refuses_what_does_not_fit) {
  cases::Random random(6);
  PoolingCase c;
  draw(c, random, true);
  CHECK(!refuses<PoolingGradient>(c.a));
  PoolingGradientArguments wrong = c.a;
  wrong.src.dim[3]++;
  CHECK(refuses<PoolingGradient>(wrong));
  wrong = c.a, wrong.dst_diff.dim[1]++;
  CHECK(refuses<PoolingGradient>(wrong));
  wrong = c.a, wrong.src = {};
  CHECK(refuses<PoolingGradient>(wrong));
  wrong = c.a;
  wrong.rectified = wrong.accumulate = true;
  CHECK(refuses<PoolingGradient>(wrong));
  wrong = c.a;
  wrong.src = {};
  wrong.kind = PoolingKind::average;
  CHECK(!refuses<PoolingGradient>(wrong));
}

TEST(lrn_gradient_agrees_with_differences) {
  cases::Random random(7);
  for (int round = 0; round < 40; ++round) {
    const bool across = round % 2;
    LrnGradientArguments a;
    a.region = across ? LrnRegion::across_channels : LrnRegion::within_channel;
    a.size = 1 + 2 * random.integer(0, 3);
    const float betas[] = {0.75f, 0.5f, 1.0f, 0.6f};
    a.alpha = 0.5f + std::fabs(random.uniform()), a.beta = betas[round / 2 % 4], a.k = across ? 1.5f : 1.0f;
    const int64_t N = random.integer(1, 2), C = random.integer(1, 7), H = random.integer(1, 6),
                  W = random.integer(1, 7);
    Values src, dst_diff, src_diff;
    a.src = slice(src, random, false, {N, C, H, W});
    a.dst_diff = slice(dst_diff, random, false, {N, C, H, W});
    a.src_diff = slice(src_diff, random, false, {N, C, H, W});
    const std::vector<double> diff = elements(a.dst_diff);
    const int64_t half = (a.size - 1) / 2;
    const auto objective = [&](const std::vector<double>& x) {
      double total = 0;
      for (int64_t i = 0; i < int64_t(x.size()); ++i) {
        const int64_t w = i % W, h = i / W % H, c = i / (W * H) % C;
        double sum = 0;
        for (int64_t j = -half; j <= half; ++j) {
          if (across && c + j >= 0 && c + j < C) sum += x[i + j * W * H] * x[i + j * W * H];
          for (int64_t k = -half; !across && k <= half; ++k)
            if (h + j >= 0 && h + j < H && w + k >= 0 && w + k < W)
              sum += x[i + j * W + k] * x[i + j * W + k];
        }
        const double area = double(across ? a.size : a.size * a.size);
        total += diff[i] * x[i] * std::pow(double(a.k) + double(a.alpha) / area * sum, -double(a.beta));
      }
      return total;
    };
    run_twice<LrnGradient>(a, src_diff);
    check_close(
        a.src_diff, slopes(objective, elements(a.src)), 1e-5,
        check::text(across ? "across " : "within ", a.size, " beta ", a.beta, " ", a.src.shape_text()));
  }
  LrnGradientArguments a;
  Values values(8), other(8);
  a.src = a.dst_diff = Tensor::of(values.data(), {1, 2, 2, 2}),
  a.src_diff = Tensor::of(other.data(), {1, 2, 2, 2});
  CHECK(!refuses<LrnGradient>(a));
  a.src_diff = a.dst_diff;
  CHECK(refuses<LrnGradient>(a));
}

TEST(lrn_gradient_of_planes_larger_than_a_block) {
  // Positions are alike: in a plane of one value every position has the gradient of a single one.
  const int64_t C = 5, plane = 17 * 23;
  LrnGradientArguments small, large;
  cases::Random random(8);
  Values x = random.values(C, false), d = random.values(C, false), g(C), X, D, G(C * plane);
  for (int64_t i = 0; i < C * plane; ++i) X.push_back(x[i / plane]), D.push_back(d[i / plane]);
  small.size = large.size = 3;
  small.src = Tensor::of(x.data(), {1, C, 1, 1}), small.dst_diff = Tensor::of(d.data(), {1, C, 1, 1});
  small.src_diff = Tensor::of(g.data(), {1, C, 1, 1});
  large.src = Tensor::of(X.data(), {1, C, 17, 23}), large.dst_diff = Tensor::of(D.data(), {1, C, 17, 23});
  large.src_diff = Tensor::of(G.data(), {1, C, 17, 23});
  run_twice<LrnGradient>(small, g);
  run_twice<LrnGradient>(large, G);
  for (int64_t i = 0; i < C * plane; ++i)
    CHECK(std::fabs(G[i] - g[i / plane]) <= 1e-6f * (1 + std::fabs(g[i / plane])), i, ": ", G[i]);
}

TEST(mvn_gradient_agrees_with_differences) {
  cases::Random random(9);
  for (int round = 0; round < 30; ++round) {
    MvnGradientArguments a;
    a.rows = random.integer(1, 4), a.normalize_variance = round % 3;
    // Two elements always become 1 and -1: no gradient to compare.
    const int64_t length = random.integer(3, 40);
    Values src = random.values(a.rows * length, false), dst_diff = random.values(a.rows * length, false),
           src_diff(src.size(), 7.0f);
    a.src = Tensor::of(src.data(), {a.rows, length});
    a.dst_diff = Tensor::of(dst_diff.data(), {a.rows, length});
    a.src_diff = Tensor::of(src_diff.data(), {a.rows, length});
    const auto objective = [&](const std::vector<double>& x) {
      double total = 0;
      for (int64_t r = 0; r < a.rows; ++r) {
        double mean = 0, variance = 0;
        for (int64_t i = 0; i < length; ++i) mean += x[r * length + i] / double(length);
        for (int64_t i = 0; i < length; ++i)
          variance += (x[r * length + i] - mean) * (x[r * length + i] - mean) / double(length);
        const double divisor = a.normalize_variance ? std::sqrt(variance) + double(a.eps) : 1.0;
        for (int64_t i = 0; i < length; ++i)
          total += dst_diff[r * length + i] * (x[r * length + i] - mean) / divisor;
      }
      return total;
    };
    const std::vector<double> expected = slopes(objective, elements(a.src));
    run_twice<MvnGradient>(a, src_diff);
    check_close(a.src_diff, expected, 1e-5, check::text(a.rows, " rows of ", length));
    a.src_diff = a.dst_diff;
    const Values apart = src_diff;
    run_twice<MvnGradient>(a, dst_diff);
    CHECK(same(dst_diff, apart), "in place");
  }
}

TEST(batch_norm_gradient_agrees_with_differences) {
  cases::Random random(10);
  Context context(2, detect_cpu_features());
  for (int round = 0; round < 40; ++round) {
    const int64_t N = random.integer(2, 5), C = random.integer(1, 6), H = random.integer(1, 4),
                  W = round % 3 ? random.integer(1, 5) : 1;
    const bool batch = round % 2;
    Values src, dst_diff, src_diff, dst(size_t(N * C * H * W)), used(2 * C);
    BatchNormGradientArguments a;
    a.src = slice(src, random, false, {N, C, H, W});
    a.dst_diff = slice(dst_diff, random, false, {N, C, H, W});
    a.src_diff = slice(src_diff, random, false, {N, C, H, W});
    a.used = Tensor::of(used.data(), {2, C});
    a.batch = batch;
    Values mean = random.values(C, false), variance = cases::absolute(random.values(C, false)),
           weight = {0.5f};
    const Values stored_mean = mean, stored_variance = variance;
    BatchNormArguments f;
    f.src = a.src, f.dst = Tensor::of(dst.data(), {N, C, H, W}), f.used = a.used;
    f.mean = Tensor::of(mean.data(), {C}), f.variance = Tensor::of(variance.data(), {C});
    f.weight = Tensor::of(weight.data(), {1});
    f.eps = 0.01f, f.update = batch;
    BatchNorm::check(f);
    BatchNorm::run(context, f);
    const std::vector<double> diff = elements(a.dst_diff);
    const auto objective = [&](const std::vector<double>& x) {
      double total = 0;
      const int64_t inner = H * W;
      for (int64_t c = 0; c < C; ++c) {
        double m = stored_mean[c] / 0.5, v = stored_variance[c] / 0.5;
        const auto at = [&](int64_t n, int64_t i) { return size_t((n * C + c) * inner + i); };
        if (batch) {
          m = v = 0;
          for (int64_t n = 0; n < N; ++n)
            for (int64_t i = 0; i < inner; ++i) m += x[at(n, i)] / double(N * inner);
          for (int64_t n = 0; n < N; ++n)
            for (int64_t i = 0; i < inner; ++i)
              v += (x[at(n, i)] - m) * (x[at(n, i)] - m) / double(N * inner);
        }
        for (int64_t n = 0; n < N; ++n)
          for (int64_t i = 0; i < inner; ++i)
            total += diff[at(n, i)] * (x[at(n, i)] - m) / std::sqrt(v + double(f.eps));
      }
      return total;
    };
    run_twice<BatchNormGradient>(a, src_diff);
    check_close(a.src_diff, slopes(objective, elements(a.src)), 2e-5,
                check::text(batch ? "batch " : "stored ", a.src.shape_text()));
  }
}

TEST(scattered_rows_add_up_in_order) {
  cases::Random random(11);
  for (int round = 0; round < 60; ++round) {
    const int64_t M = random.integer(0, 30), K = random.integer(1, 8), length = random.integer(1, 200);
    // The slack keeps the memory of no rows from being no memory.
    Values src = random.values(M * length + 1, true), index, table = random.values(K * length, true),
           bias = random.values(length, true);
    for (int64_t m = 0; m < M; ++m) index.push_back(float(random.integer(0, K - 1)) + 0.25f);
    index.push_back(-1);
    ScatterRowsArguments a;
    a.src = Tensor::of(src.data(), {M, length}), a.index = Tensor::of(index.data(), {M});
    a.table = Tensor::of(table.data(), {K, length});
    a.overwrite = round % 2;
    if (round % 3) a.bias = Tensor::of(bias.data(), {length});
    Values expected = table, expected_bias = bias;
    if (a.overwrite) std::fill(expected.begin(), expected.end(), 0.0f);
    for (int64_t m = 0; m < M; ++m)
      for (int64_t i = 0; i < length; ++i) {
        expected[int64_t(index[m]) * length + i] += src[m * length + i];
        expected_bias[i] += src[m * length + i];
      }
    Context context(3, detect_cpu_features());
    ScatterRows::check(a);
    ScatterRows::run(context, a);
    CHECK(same(table, expected), M, " rows of ", length, " into ", K);
    if (a.bias) CHECK(same(bias, expected_bias), "bias of ", M, " rows of ", length);
  }
  Values src(6), index = {0, 2}, table(6);
  ScatterRowsArguments a;
  a.src = Tensor::of(src.data(), {2, 3}), a.index = Tensor::of(index.data(), {2});
  a.table = Tensor::of(table.data(), {2, 3});
  Context context(1, detect_cpu_features());
  bool refused = false;
  try {
    ScatterRows::run(context, a);
  } catch (const Error&) {
    refused = true;
  }
  CHECK(refused, "an index behind the last row");
  a.table = Tensor::of(table.data(), {3, 2});
  CHECK(refuses<ScatterRows>(a));
  a.table = {};
  CHECK(refuses<ScatterRows>(a));
}

TEST(copies_may_add_to_what_is_there) {
  Values src = {1, 2, 3, 4, 5, 6}, dst = {10, 20, 30, 40};
  CopyStridedArguments a;
  a.src = Tensor::of(src.data(), {2, 3}), a.dst = Tensor::of(dst.data(), {2, 2});
  a.src_offset = 1, a.counts = {2, 2}, a.src_strides = {3, 1}, a.dst_strides = {2, 1};
  a.accumulate = true;
  Context context(1, detect_cpu_features());
  CopyStrided::check(a);
  CopyStrided::run(context, a);
  CHECK(same(dst, {12, 23, 35, 46}));
}
