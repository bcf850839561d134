#include "convolution_fixed.h"

namespace ristretto {

namespace {

template <class Stored, class Weight>
void convolve(const ConvolutionFixedArguments& a, const FixedEpilogue& epilogue) {
  const int64_t K = a.dst.channels, group_k = K / a.group, group_c = a.src.channels / a.group;
  const int64_t R = a.weights.dim[2], S = a.weights.dim[3];
  const int zero = a.src.zero();
  for (int64_t n = 0; n < a.dst.images; ++n)
    for (int64_t p = 0; p < a.dst.height; ++p)
      for (int64_t q = 0; q < a.dst.width; ++q)
        for (int64_t k = 0; k < K; ++k) {
          int64_t sum = 0;
          for (int64_t r = 0; r < R; ++r)
            for (int64_t s = 0; s < S; ++s) {
              const int64_t y = p * a.stride_h - a.pad_h + r * a.dilation_h;
              const int64_t x = q * a.stride_w - a.pad_w + s * a.dilation_w;
              if (y % a.spread_h != 0 || x % a.spread_w != 0) continue;
              const int64_t h = y / a.spread_h, w = x / a.spread_w;
              if (h < 0 || h >= a.src.height || w < 0 || w >= a.src.width) continue;
              const Stored* src =
                  reinterpret_cast<const Stored*>(a.src.pixel(n, h, w)) + k / group_k * group_c;
              const Weight* weights =
                  static_cast<const Weight*>(a.weights.data) + (k * group_c * R + r) * S + s;
              for (int64_t c = 0; c < group_c; ++c) sum += int64_t{src[c] - zero} * weights[c * R * S];
            }
          const int64_t bias = a.bias ? static_cast<const int32_t*>(a.bias.data)[k] : 0;
          a.dst.set_code(n, p, q, k, int(apply_epilogue(sum, bias, epilogue)));
        }
}

template <class Weight>
void convolve(const ConvolutionFixedArguments& a, const FixedEpilogue& epilogue) {
  if (a.src.type == DataType::i16) return convolve<int16_t, Weight>(a, epilogue);
  if (a.src.type == DataType::u8) return convolve<uint8_t, Weight>(a, epilogue);
  convolve<int8_t, Weight>(a, epilogue);
}

}  // namespace

void convolution_fixed_ref(Context&, const ConvolutionFixedArguments& a) {
  const FixedEpilogue epilogue = epilogue_of(a);
  if (a.weights.type == DataType::i16)
    convolve<int16_t>(a, epilogue);
  else
    convolve<int8_t>(a, epilogue);
  for (int64_t n = 0; n < a.dst.images; ++n) fill_halo(a.dst, n, 0, a.dst.height);
}

}  // namespace ristretto
