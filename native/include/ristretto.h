/*
 * Ristretto's kernels in C: fixed-point convolution, trims, range analysis, quantisation and pooling on
 * codes, as docs/numerics.md defines them. C99, self-contained; no C++ type and no exception crosses it.
 *
 * Codes are integers of a dynamic fixed-point format: value = code * 2^-fractional_length. Activations are
 * tensors of codes with channels last (N, H, W, C), floats have channels first (N, C, H, W). Sizes and
 * strides count elements, never bytes. A function with a status gives RISTRETTO_OK or says in
 * ristretto_last_error() what is wrong; results are then undefined, arguments are unharmed. Results never
 * depend on threads or instruction set.
 *
 * Threads: a context (and a convolution) serves one call at a time; different contexts are independent.
 *
 *   ristretto_context* context;
 *   if (ristretto_context_create(2, "auto", &context) != RISTRETTO_OK) puts(ristretto_last_error());
 */
#ifndef RISTRETTO_H
#define RISTRETTO_H

#include <stdint.h>

#if defined(__GNUC__) && defined(RISTRETTO_BUILDS_LIBRARY)
#define RISTRETTO_API __attribute__((visibility("default")))
#else
#define RISTRETTO_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- version ---- */

#define RISTRETTO_VERSION_MAJOR 0
#define RISTRETTO_VERSION_MINOR 1
#define RISTRETTO_VERSION_PATCH 0
/* 10000 * major + 100 * minor + patch: of this header. */
#define RISTRETTO_VERSION \
  (RISTRETTO_VERSION_MAJOR * 10000 + RISTRETTO_VERSION_MINOR * 100 + RISTRETTO_VERSION_PATCH)

/* RISTRETTO_VERSION of the library that is loaded, and the same as "major.minor.patch". */
RISTRETTO_API int32_t ristretto_version(void);
RISTRETTO_API const char* ristretto_version_text(void);

/* ---- errors ---- */

typedef int32_t ristretto_status;
enum {
  RISTRETTO_OK = 0,
  RISTRETTO_ERROR_ARGUMENT = 1, /* an argument that makes no sense, or arguments that do not fit together */
  RISTRETTO_ERROR_DATA = 2,     /* data that cannot be processed: a NaN to be trimmed or quantised */
  RISTRETTO_ERROR_MEMORY = 3,   /* memory or threads could not be had */
  RISTRETTO_ERROR_INTERNAL = 4  /* a fault of the library */
};

/* Of the calling thread's last failure: one sentence, valid until its next. "" before the first. */
RISTRETTO_API const char* ristretto_last_error(void);

/* ---- contexts ---- */

/* Threads, an instruction set, scratch memory. */
typedef struct ristretto_context ristretto_context;

/* `threads`: 1 to 1024, the caller's counted; 0: one per processor. `instruction_set`: "auto" (or NULL: what
 * this processor has), or one of "ref" (the definitions), "portable", "avx2", "avx_vnni", "avx512",
 * "avx512_vnni", "neon", "neon_dot": an error where the processor lacks it. Destroying NULL does nothing,
 * here and below. */
RISTRETTO_API ristretto_status ristretto_context_create(int32_t threads, const char* instruction_set,
                                                        ristretto_context** context);
RISTRETTO_API void ristretto_context_destroy(ristretto_context* context);
RISTRETTO_API int32_t ristretto_context_threads(const ristretto_context* context);

/* ---- tensors ---- */

typedef int32_t ristretto_code_type;
enum {
  RISTRETTO_I8 = 0, /* int8_t: the code */
  RISTRETTO_U8 =
      1, /* uint8_t: code + 128, the same codes -128 to 127; often faster than I8 where codes are negative */
  RISTRETTO_I16 = 2 /* int16_t: the code */
};

/* Code (n, h, w, c) stands at data[n * image_stride + h * row_stride + w * pixel_stride + c]. The caller
 * keeps the memory. What is only read stays as it is. Set everything to 0 that is not needed. */
typedef struct ristretto_codes {
  void* data;
  ristretto_code_type type;
  int64_t images, height, width, channels;
  /* In elements; a stride of 0 means dense: no gap behind the channels, rows or images but for the halo.
   * Channels of a wider tensor have its pixel_stride. */
  int64_t image_stride, row_stride, pixel_stride;
  /* Rows above and below, columns left and right of every image that belong to the tensor, at negative and at
   * too large h and w. They hold the code 0: what reads codes may rely on it, what writes codes writes it.
   * Convolutions need none, but are spared a copy where it covers their padding. */
  int64_t halo_h, halo_w;
  /* The least and greatest code that occur, which kernels rely on; both 0: whatever the type can hold. */
  int32_t low, high;
  /* Bytes behind the last element that may be read, whatever they hold. */
  int64_t slack;
} ristretto_codes;

/* Element (n, c, h, w) stands at data[n * image_stride + (c * height + h) * width + w]; image_stride 0:
 * dense. */
typedef struct ristretto_floats {
  float* data;
  int64_t images, channels, height, width;
  int64_t image_stride;
} ristretto_floats;

/* ---- number formats ---- */

typedef int32_t ristretto_rounding;
enum {
  RISTRETTO_HALF_AWAY_FROM_ZERO = 0,
  RISTRETTO_HALF_TO_EVEN = 1,
  RISTRETTO_HALF_UP = 2,
  RISTRETTO_FLOOR = 3,
  RISTRETTO_STOCHASTIC = 4 /* trims only */
};

/* Dynamic fixed point of codes: 1 to 16 bits, sign included; fractional length -126 to 126. */
typedef struct ristretto_code_format {
  int32_t bit_width, fractional_length;
} ristretto_code_format;

typedef int32_t ristretto_format_kind;
enum { RISTRETTO_DYNAMIC_FIXED_POINT = 1, RISTRETTO_MINIFLOAT = 2, RISTRETTO_INTEGER_POWER_OF_TWO = 3 };

/* What a trim rounds to; only the fields of its kind are looked at. */
typedef struct ristretto_format {
  ristretto_format_kind kind;
  ristretto_rounding rounding;
  int32_t bit_width, fractional_length; /* dynamic fixed point: 1 to 32, sign included; -126 to 126 */
  int32_t mantissa_bits, exponent_bits; /* minifloat: 0 to 31; 1 to 8 */
  int32_t exponent_min, exponent_max;   /* integer power of two: -126 to 127 */
} ristretto_format;

/* Names the random words of a stochastic trim: element i of the data has the word of first_element + i. */
typedef struct ristretto_random {
  uint64_t seed;
  uint32_t stream; /* ristretto_stream("layer/role") */
  uint32_t step;
  uint64_t first_element;
} ristretto_random;

/* FNV-1a-32 of a name, which is how layers name their streams. NULL counts as "". */
RISTRETTO_API uint32_t ristretto_stream(const char* name);

/* ---- trims and ranges of floats ---- */

/* dst[i] = the nearest number to src[i] that the format represents. dst may be src; they do not overlap
 * otherwise. `random` is needed for stochastic rounding, else NULL will do. A NaN is RISTRETTO_ERROR_DATA. */
RISTRETTO_API ristretto_status ristretto_trim(ristretto_context* context, const float* src, float* dst,
                                              int64_t count, const ristretto_format* format,
                                              const ristretto_random* random);

typedef struct ristretto_range_result {
  /* NaNs do not count, infinities do; with no number at all +inf, -inf and 0. */
  float least, greatest, largest_magnitude;
  /* Counts stop at 2^31 - 1. Saturated: what `format` would clamp, 0 where there is none. */
  int32_t nans, infinities, saturated;
  /* By float32's biased exponent: [0] zeros and denormals, [127] magnitudes from 1 to 2, [255] infinities,
   * NaNs. */
  int32_t exponents[256];
} ristretto_range_result;

RISTRETTO_API ristretto_status ristretto_range(ristretto_context* context, const float* src, int64_t count,
                                               const ristretto_format* format,
                                               ristretto_range_result* result);

/* ---- between floats and codes ---- */

/* code = saturate(round(x * 2^fractional_length)). A NaN is RISTRETTO_ERROR_DATA. Not stochastic. */
RISTRETTO_API ristretto_status ristretto_quantise(ristretto_context* context, const ristretto_floats* src,
                                                  const ristretto_codes* dst, ristretto_code_format format,
                                                  ristretto_rounding rounding);

/* x = code * 2^-fractional_length, exactly. */
RISTRETTO_API ristretto_status ristretto_dequantise(ristretto_context* context, const ristretto_codes* src,
                                                    const ristretto_floats* dst, int32_t fractional_length);

/* Codes of one fractional length to codes of another format, negative ones to 0 first where `relu` is not 0.
 */
RISTRETTO_API ristretto_status ristretto_requantise(ristretto_context* context, const ristretto_codes* src,
                                                    const ristretto_codes* dst, int32_t src_fractional_length,
                                                    ristretto_code_format format, ristretto_rounding rounding,
                                                    int32_t relu);

/* ---- fixed-point convolution ---- */

/* Inner products are convolutions with a kernel as large as the image. Strides, dilations and group of 0
 * count as 1. */
typedef struct ristretto_convolution_parameters {
  int64_t src_channels, dst_channels;
  int64_t kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w, group;
  /* Codes (dst_channels, src_channels / group, kernel_h, kernel_w), dense; I8 or I16. */
  const void* weights;
  ristretto_code_type weights_type;
  /* dst_channels codes of the weights' fractional length, or NULL. */
  const int32_t* bias;
  int32_t src_fractional_length, weights_fractional_length;
  ristretto_code_format output;
  int32_t relu; /* not 0: negative output codes become 0 */
  /* Not 0: output codes are rounded once more, to `consumer`, and that is what dst holds. */
  int32_t requantises;
  ristretto_code_format consumer;
  ristretto_rounding rounding; /* not stochastic */
} ristretto_convolution_parameters;

/* Weights, bias and parameters, and the weights in the order that the kernels want them, made by the first
 * run. */
typedef struct ristretto_convolution ristretto_convolution;

/* Copies weights and bias. */
RISTRETTO_API ristretto_status ristretto_convolution_create(
    const ristretto_convolution_parameters* parameters, ristretto_convolution** convolution);
RISTRETTO_API void ristretto_convolution_destroy(ristretto_convolution* convolution);

/* The height and width that dst must have for a src of this height and width. */
RISTRETTO_API ristretto_status ristretto_convolution_output(const ristretto_convolution* convolution,
                                                            int64_t height, int64_t width,
                                                            int64_t* dst_height, int64_t* dst_width);

/* dst = codes of relu(src * weights + bias): exact sums, then the rounding to `output`, ReLU, and `consumer`.
 * An argument error where a sum could exceed 63 bits. src and dst do not overlap. */
RISTRETTO_API ristretto_status ristretto_convolution_run(ristretto_context* context,
                                                         ristretto_convolution* convolution,
                                                         const ristretto_codes* src,
                                                         const ristretto_codes* dst);

/* ---- pooling of codes ---- */

/* Output p covers rows p * stride_h - pad_h up to kernel_h more. Strides of 0 count as 1. */
typedef struct ristretto_window {
  int64_t kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w;
} ristretto_window;

/* The largest code of each window's part inside the image. src and dst have one type. */
RISTRETTO_API ristretto_status ristretto_max_pooling(ristretto_context* context, const ristretto_codes* src,
                                                     const ristretto_codes* dst,
                                                     const ristretto_window* window);

/* The mean as floats: exact sums times 2^-fractional_length, divided by the window's area inside the padded
 * image. */
RISTRETTO_API ristretto_status ristretto_average_pooling(ristretto_context* context,
                                                         const ristretto_codes* src,
                                                         const ristretto_floats* dst,
                                                         const ristretto_window* window,
                                                         int32_t fractional_length);

#ifdef __cplusplus
}
#endif

#endif /* RISTRETTO_H */
