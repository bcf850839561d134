/* One quantised layer from C: floats to codes, a convolution with bias and ReLU, and what range analysis and
 * a trim say of the result. Every step is checked against a plain loop; the exit code is 1 where one differs.
 */
#include <ristretto.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHANNELS = 3, SIDE = 9, KERNELS = 10, WINDOW = 3, PAD = 1, STRIDE = 2 };
enum { OUT = (SIDE + 2 * PAD - WINDOW) / STRIDE + 1 };

/* Fractional lengths: how many bits of a code stand behind the point. */
enum { SRC_FL = 5, WEIGHTS_FL = 7, DST_FL = 4 };

static float pixels[CHANNELS][SIDE][SIDE];
static int8_t image[SIDE][SIDE][CHANNELS];
static int8_t weights[KERNELS][CHANNELS][WINDOW][WINDOW];
static int32_t bias[KERNELS];
static int8_t result[OUT][OUT][KERNELS];

static void check(ristretto_status status) {
  if (status == RISTRETTO_OK) return;
  fprintf(stderr, "ristretto: %s\n", ristretto_last_error());
  exit(1);
}

static void expect(const char* what, double actual, double expected) {
  if (actual == expected) return;
  fprintf(stderr, "%s is %.9g, not %.9g\n", what, actual, expected);
  exit(1);
}

/* Numbers that look random and are the same everywhere. */
static int next(int least, int greatest) {
  static uint32_t state = 1;
  state = state * 1664525u + 1013904223u;
  return least + (int)((state >> 8) % (uint32_t)(greatest - least + 1));
}

/* x / 2^shift, rounded half away from zero, within the codes of 8 bits. */
static int to_code(double x, int shift) {
  const double code = round(ldexp(x, -shift));
  return code < -128 ? -128 : code > 127 ? 127 : (int)code;
}

static void fill(void) {
  for (int c = 0; c < CHANNELS; ++c)
    for (int h = 0; h < SIDE; ++h)
      for (int w = 0; w < SIDE; ++w) pixels[c][h][w] = (float)next(-2000, 2000) / 400.0f;
  for (int k = 0; k < KERNELS; ++k) {
    bias[k] = next(-100, 100);
    for (int c = 0; c < CHANNELS; ++c)
      for (int r = 0; r < WINDOW; ++r)
        for (int s = 0; s < WINDOW; ++s) weights[k][c][r][s] = (int8_t)next(-128, 127);
  }
}

static int expected_code(int p, int q, int k) {
  long sum = (long)bias[k] << SRC_FL;
  if (bias[k] < 0) sum = -((long)-bias[k] << SRC_FL);
  for (int c = 0; c < CHANNELS; ++c)
    for (int r = 0; r < WINDOW; ++r)
      for (int s = 0; s < WINDOW; ++s) {
        const int h = p * STRIDE - PAD + r, w = q * STRIDE - PAD + s;
        if (h >= 0 && h < SIDE && w >= 0 && w < SIDE) sum += image[h][w][c] * weights[k][c][r][s];
      }
  const int code = to_code((double)sum, SRC_FL + WEIGHTS_FL - DST_FL);
  return code < 0 ? 0 : code;
}

int main(void) {
  ristretto_context* context = NULL;
  check(ristretto_context_create(2, "auto", &context));
  fill();

  /* Floats, channels first, to codes, channels last. */
  const ristretto_floats floats = {
      .data = &pixels[0][0][0], .images = 1, .channels = CHANNELS, .height = SIDE, .width = SIDE};
  const ristretto_codes src = {
      .data = image, .type = RISTRETTO_I8, .images = 1, .height = SIDE, .width = SIDE, .channels = CHANNELS};
  const ristretto_code_format src_format = {8, SRC_FL};
  check(ristretto_quantise(context, &floats, &src, src_format, RISTRETTO_HALF_AWAY_FROM_ZERO));
  for (int h = 0; h < SIDE; ++h)
    for (int w = 0; w < SIDE; ++w)
      for (int c = 0; c < CHANNELS; ++c)
        expect("a code of the image", image[h][w][c], to_code(pixels[c][h][w], -SRC_FL));

  /* The layer. */
  const ristretto_convolution_parameters parameters = {.src_channels = CHANNELS,
                                                       .dst_channels = KERNELS,
                                                       .kernel_h = WINDOW,
                                                       .kernel_w = WINDOW,
                                                       .stride_h = STRIDE,
                                                       .stride_w = STRIDE,
                                                       .pad_h = PAD,
                                                       .pad_w = PAD,
                                                       .weights = weights,
                                                       .weights_type = RISTRETTO_I8,
                                                       .bias = bias,
                                                       .src_fractional_length = SRC_FL,
                                                       .weights_fractional_length = WEIGHTS_FL,
                                                       .output = {8, DST_FL},
                                                       .relu = 1};
  ristretto_convolution* convolution = NULL;
  check(ristretto_convolution_create(&parameters, &convolution));
  const ristretto_codes dst = {
      .data = result, .type = RISTRETTO_I8, .images = 1, .height = OUT, .width = OUT, .channels = KERNELS};
  check(ristretto_convolution_run(context, convolution, &src, &dst));
  for (int p = 0; p < OUT; ++p)
    for (int q = 0; q < OUT; ++q)
      for (int k = 0; k < KERNELS; ++k)
        expect("a code of the result", result[p][q][k], expected_code(p, q, k));

  /* Back to floats, and what calibration asks of them. */
  static float reals[KERNELS][OUT][OUT], trimmed[KERNELS * OUT * OUT];
  const ristretto_floats back = {
      .data = &reals[0][0][0], .images = 1, .channels = KERNELS, .height = OUT, .width = OUT};
  check(ristretto_dequantise(context, &dst, &back, DST_FL));
  ristretto_range_result range;
  check(ristretto_range(context, &reals[0][0][0], KERNELS * OUT * OUT, NULL, &range));
  float greatest = 0;
  for (int k = 0; k < KERNELS; ++k)
    for (int p = 0; p < OUT; ++p)
      for (int q = 0; q < OUT; ++q) {
        expect("a real of the result", reals[k][p][q], ldexp(result[p][q][k], -DST_FL));
        if (reals[k][p][q] > greatest) greatest = reals[k][p][q];
      }
  expect("the greatest real", range.greatest, greatest);

  /* Codes of four bits: the same reals, coarser. */
  const ristretto_format four_bits = {
      .kind = RISTRETTO_DYNAMIC_FIXED_POINT, .bit_width = 4, .fractional_length = 0};
  check(ristretto_trim(context, &reals[0][0][0], trimmed, KERNELS * OUT * OUT, &four_bits, NULL));
  for (int i = 0; i < KERNELS * OUT * OUT; ++i) {
    const double code = round((&reals[0][0][0])[i]);
    expect("a trimmed real", trimmed[i], code > 7 ? 7 : code);
  }

  printf("ristretto %s: %d codes, the greatest real %g\n", ristretto_version_text(), OUT * OUT * KERNELS,
         (double)greatest);
  ristretto_convolution_destroy(convolution);
  ristretto_context_destroy(context);
  return 0;
}
