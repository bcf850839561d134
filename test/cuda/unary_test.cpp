// Functions of one number and their slopes, sums, products and maxima, dropout: on the device as on the
// processor.
#include "core/op/elementwise/dropout.h"
#include "core/op/elementwise/eltwise.h"
#include "core/op/elementwise/eltwise_gradient.h"
#include "core/op/elementwise/unary.h"
#include "core/op/elementwise/unary_gradient.h"
#include "twin.h"

using namespace ristretto;
using namespace ristretto::cuda;

namespace {

struct Layout {
  int64_t images, count, gap, offset;
};
// Vectors and a tail; less than a vector; slices; at odd places.
const Layout kLayouts[] = {{1, 9001, 0, 0}, {1, 3, 0, 0}, {3, 500, 20, 0}, {3, 333, 6, 0}, {2, 600, 0, 1}};

struct Row {
  UnaryFunction function;
  float a, b, c;
  bool exact;  // the same on every machine
};
const Row kRows[] = {
    {UnaryFunction::relu, 0, 0, 0, true},       {UnaryFunction::relu, 0.25f, 0, 0, true},
    {UnaryFunction::absolute, 0, 0, 0, true},   {UnaryFunction::bnll, 0, 0, 0, false},
    {UnaryFunction::clip, -1, 2, 0, true},      {UnaryFunction::elu, 0.5f, 0, 0, false},
    {UnaryFunction::elu, -0.5f, 0, 0, false},   {UnaryFunction::exponent, 0.5f, 2, 0, false},
    {UnaryFunction::logarithm, 0, 3, 2, false}, {UnaryFunction::power, 0.5f, 2, 1, true},
    {UnaryFunction::power, 0.5f, 2, 2, true},   {UnaryFunction::power, 0.25f, 3, 3, false},
    {UnaryFunction::sigmoid, 0, 0, 0, false},   {UnaryFunction::swish, 1.5f, 0, 0, false},
    {UnaryFunction::tanh, 0, 0, 0, false},      {UnaryFunction::threshold, 0.5f, 0, 0, true},
};

void check_same(const Twin& result, bool exact, int function) {
  if (exact)
    result.check_equal("function ", function);
  else
    result.check_close(2e-6, "function ", function);
}

}  // namespace

TEST(functions_equal_the_processors) {
  for (const Row& row : kRows)
    for (const Layout& l : kLayouts) {
      Twin src({l.images, l.count}, 1, l.gap, l.offset), dst({l.images, l.count}, 2, 2 * l.gap, l.offset);
      run_both<Unary>([&](bool device) {
        return UnaryArguments{src.tensor(device), dst.tensor(device), row.function, row.a, row.b, row.c};
      });
      check_same(dst, row.exact, int(row.function));
    }
}

TEST(a_nan_passes_relu) {
  Twin data({4}, guarded::vector<float>{-1, float_of(0x7FC00000u), 3, -0.0f});
  run_both<Unary>([&](bool device) {
    return UnaryArguments{data.tensor(device), data.tensor(device), UnaryFunction::relu};
  });
  CHECK(std::isnan(data.tensor(true).f32()[1]));
  data.check_equal();
}

TEST(slopes_equal_the_processors) {
  for (const Row& row : kRows) {
    if (row.function == UnaryFunction::threshold) continue;
    for (const Layout& l : kLayouts) {
      Twin values({l.images, l.count}, 1, l.gap, l.offset), diff({l.images, l.count}, 3, 0, l.offset),
          result({l.images, l.count}, 2, l.gap, l.offset);
      run_both<UnaryGradient>([&](bool device) {
        return UnaryGradientArguments{values.tensor(device),
                                      diff.tensor(device),
                                      result.tensor(device),
                                      row.function,
                                      row.a,
                                      row.b,
                                      row.c};
      });
      check_same(result, row.exact, int(row.function));
    }
  }
}

TEST(sums_products_and_maxima_equal_the_processors) {
  for (size_t sources = 1; sources <= 4; ++sources)
    for (EltwiseOperation operation :
         {EltwiseOperation::sum, EltwiseOperation::product, EltwiseOperation::maximum})
      for (const Layout& l : kLayouts) {
        std::vector<Twin> srcs;
        for (size_t s = 0; s < sources; ++s)
          srcs.emplace_back(std::initializer_list<int64_t>{l.images, l.count}, uint32_t(s + 1), s ? l.gap : 0,
                            l.offset);
        run_both<Eltwise>([&](bool device) {
          EltwiseArguments e;
          for (const Twin& src : srcs) e.srcs.push_back(src.tensor(device));
          e.dst = e.srcs.back();
          e.operation = operation;
          if (operation == EltwiseOperation::sum && sources == 3) e.coefficients = {1, -1, 0.3f};
          return e;
        });
        srcs.back().check_equal("operation ", int(operation), " of ", sources);
      }
}

TEST(eltwise_gradients_equal_the_processors) {
  for (size_t sources : {1, 2, 3, 4, 5, 9})
    for (EltwiseOperation operation :
         {EltwiseOperation::sum, EltwiseOperation::product, EltwiseOperation::maximum}) {
      std::vector<Twin> srcs, diffs;
      for (size_t s = 0; s < sources; ++s) {
        srcs.emplace_back(std::initializer_list<int64_t>{2, 501}, uint32_t(s + 1), 3);
        diffs.emplace_back(std::initializer_list<int64_t>{2, 501}, uint32_t(s + 7));
      }
      // The first of them lies where the gradient does.
      run_both<EltwiseGradient>([&](bool device) {
        EltwiseGradientArguments e;
        e.dst_diff = diffs[0].tensor(device);
        e.operation = operation;
        if (operation == EltwiseOperation::sum && sources == 2) e.coefficients = {0.5f, -2};
        for (size_t s = 0; s < sources; ++s) {
          e.srcs.push_back(srcs[s].tensor(device));
          e.src_diffs.push_back(diffs[s].tensor(device));
          e.indices.push_back(int64_t(s));
        }
        return e;
      });
      for (const Twin& diff : diffs) diff.check_equal("operation ", int(operation), " of ", sources);
    }
}

// More sources than one pass takes. dst is the first, one of the first pass or the last, or none of them.
TEST(many_sources_equal_the_processors) {
  for (size_t sources : {5, 7, 8, 11})
    for (EltwiseOperation operation :
         {EltwiseOperation::sum, EltwiseOperation::product, EltwiseOperation::maximum})
      for (size_t place : {size_t{0}, size_t{3}, sources - 1, sources}) {
        std::vector<Twin> all;
        for (size_t s = 0; s <= sources; ++s)
          all.emplace_back(std::initializer_list<int64_t>{3, 333}, uint32_t(s + 1), s % 3 ? 0 : 5);
        run_both<Eltwise>([&](bool device) {
          EltwiseArguments e;
          for (size_t s = 0; s < sources; ++s) e.srcs.push_back(all[s].tensor(device));
          e.dst = all[place].tensor(device);
          e.operation = operation;
          if (operation == EltwiseOperation::sum && sources != 7)
            for (size_t s = 0; s < sources; ++s) e.coefficients.push_back(0.3f * float(s) - 1);
          return e;
        });
        for (const Twin& twin : all)
          twin.check_equal("operation ", int(operation), " of ", sources, " to ", place);
      }
}

// Of equals, the rule of the second source holds for the second alone; a NaN is never greater later on.
TEST(the_gradient_goes_to_the_same_one_of_many_equals) {
  const float nan = float_of(0x7FC00000u);
  const guarded::vector<float> values[] = {{1, 1, 2, nan, 1, 0},
                                           {1, 0, 2, 1, nan, -0.0f},
                                           {1, 1, 2, 1, 1, 0},
                                           {1, 1, 3, nan, 2, 0},
                                           {1, 0, 3, 5, 3, 0}};
  std::vector<Twin> srcs, diffs;
  for (const guarded::vector<float>& v : values) {
    srcs.emplace_back(std::initializer_list<int64_t>{6}, v);
    diffs.emplace_back(std::initializer_list<int64_t>{6}, uint32_t(diffs.size() + 3));
  }
  Twin dst_diff({6}, guarded::vector<float>{1, 2, 3, 4, 5, 6});
  run_both<EltwiseGradient>([&](bool device) {
    EltwiseGradientArguments e;
    e.dst_diff = dst_diff.tensor(device);
    e.operation = EltwiseOperation::maximum;
    for (size_t s = 0; s < srcs.size(); ++s) {
      e.srcs.push_back(srcs[s].tensor(device));
      e.src_diffs.push_back(diffs[s].tensor(device));
      e.indices.push_back(int64_t(s));
    }
    return e;
  });
  for (const Twin& diff : diffs) diff.check_equal();
  CHECK_EQUAL(diffs[1].tensor(true).f32()[0], 1.0f);
  CHECK_EQUAL(diffs[3].tensor(true).f32()[2], 3.0f);
}

TEST(dropout_draws_the_processors_words) {
  for (uint64_t first : {uint64_t{0}, uint64_t{1} << 34, uint64_t{6}})
    for (int64_t count : {3, 5003}) {
      Twin src({count}, 1), dst({count}, 2);
      run_both<Dropout>([&](bool device) {
        return DropoutArguments{src.tensor(device), dst.tensor(device), 0.4f, {77, 5, 9, first}};
      });
      dst.check_equal("first ", first, " count ", count);
    }
}
