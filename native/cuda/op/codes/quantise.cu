// Reals, channels first, to codes, channels last, and back: tiles of pixels and channels are turned in shared
// memory, so that both sides are read and written along what lies side by side there.
#include <algorithm>

#include "core/format/minifloat.h"
#include "core/format/power_of_two.h"
#include "core/op/codes/quantise.h"
#include "cuda/code_vectors.h"
#include "cuda/launch.h"
#include "cuda/ops.h"
#include "cuda/scalar_lanes.h"

namespace ristretto::cuda {

namespace {

constexpr int kThreads = 256, kPixels = 64, kChannels = 32;

#include "core/cpu/trim_lanes.inl"

// Of images of `pixels` reals a channel and as many pixels of codes.
struct TurnJob {
  float* reals;
  CodeTensor codes;
  int64_t image_stride, pixels, channels;
  uint32_t width;        // pixels of a row of codes
  int64_t pixel_stride;  // of codes
  int64_t pixel_tiles, channel_tiles, tiles;
  float unit;  // 2^fractional_length, or its inverse for reals from codes
  int access, halo_parts;
  NanReport report;
};

struct Tile {
  int64_t image, pixel, channel;
  int pixels, channels;
};

RISTRETTO_DEVICE Tile tile_of(const TurnJob& job, int64_t index) {
  Tile t;
  t.pixel = index % job.pixel_tiles * kPixels;
  t.channel = index / job.pixel_tiles % job.channel_tiles * kChannels;
  t.image = index / job.pixel_tiles / job.channel_tiles;
  t.pixels = int(std::min<int64_t>(kPixels, job.pixels - t.pixel));
  t.channels = int(std::min<int64_t>(kChannels, job.channels - t.channel));
  return t;
}

// Rows of a tile in shared memory: pixels, an odd number of words apart.
template <class Stored>
struct TileRows {
  static constexpr int kPitch = kChannels * int(sizeof(Stored)) + 4;
  static constexpr int kBytes = kPixels * kPitch, kVectors = kChannels * int(sizeof(Stored)) / 16;
};

template <class Stored>
RISTRETTO_DEVICE char* codes_at(const TurnJob& job, const Tile& t, int pixel) {
  const uint32_t at = uint32_t(t.pixel + pixel), width = job.width;
  return static_cast<char*>(job.codes.data) +
         (t.image * job.codes.image_stride + at / width * job.codes.row_stride +
          at % width * job.pixel_stride + t.channel) *
             int64_t{sizeof(Stored)};
}

template <class Stored, Rounding rounding>
RISTRETTO_KERNEL(kThreads, 4)
quantise_tiles(TurnJob job, TrimFormat format) {
  if (block_index() >= job.tiles) {
    fill_halo_part(job.codes, job.access, int(block_index() - job.tiles), job.halo_parts);
    return;
  }
  using Rows = TileRows<Stored>;
  char* rows = shared_memory<char>();
  const Tile t = tile_of(job, block_index());
  const DynamicFixedPointLanes<ScalarLanes, rounding> trim(format);
  const int zero = job.codes.zero();
  const float* reals = job.reals + t.image * job.image_stride + t.channel * job.pixels + t.pixel;
  bool nan = false;
#pragma unroll
  for (int i = 0; i < kPixels * kChannels / kThreads; ++i) {
    const int at = i * kThreads + thread_index(), pixel = at % kPixels, channel = at / kPixels;
    int code = 0;
    if (pixel < t.pixels && channel < t.channels) {
      const float x = reals[channel * job.pixels + pixel];
      const bool bad = is_nan_bits(bits_of(x));
      nan = nan || bad;
      // The trimmed value is a code times a power of two: the product is exact.
      code = bad ? 0 : int(trim(x, 0) * job.unit);
    }
    *reinterpret_cast<Stored*>(rows + pixel * Rows::kPitch + channel * int(sizeof(Stored))) =
        Stored(code + zero);
  }
  block_barrier();
  for (int at = thread_index(); at < kPixels * Rows::kVectors; at += kThreads) {
    const int pixel = at / Rows::kVectors, place = at % Rows::kVectors * 16;
    const int count = t.channels * int(sizeof(Stored)) - place;
    if (pixel >= t.pixels || count <= 0) continue;
    const uint32_t* words = reinterpret_cast<const uint32_t*>(rows + pixel * Rows::kPitch + place);
    store_vector(codes_at<Stored>(job, t, pixel) + place, Vector16{{words[0], words[1], words[2], words[3]}},
                 job.access, count);
  }
  if (nan) job.report.tell(Fault::nan_to_code);
}

template <class Stored>
RISTRETTO_KERNEL(kThreads, 4)
dequantise_tiles(TurnJob job) {
  using Rows = TileRows<Stored>;
  char* rows = shared_memory<char>();
  const Tile t = tile_of(job, block_index());
  for (int at = thread_index(); at < kPixels * Rows::kVectors; at += kThreads) {
    const int pixel = at / Rows::kVectors, place = at % Rows::kVectors * 16;
    const int count = t.channels * int(sizeof(Stored)) - place;
    if (pixel >= t.pixels || count <= 0) continue;
    const Vector16 v = load_vector(codes_at<Stored>(job, t, pixel) + place, job.access, count);
    uint32_t* words = reinterpret_cast<uint32_t*>(rows + pixel * Rows::kPitch + place);
#pragma unroll
    for (int i = 0; i < 4; ++i) words[i] = v.word[i];
  }
  block_barrier();
  const int zero = job.codes.zero();
  float* reals = job.reals + t.image * job.image_stride + t.channel * job.pixels + t.pixel;
#pragma unroll
  for (int i = 0; i < kPixels * kChannels / kThreads; ++i) {
    const int at = i * kThreads + thread_index(), pixel = at % kPixels, channel = at / kPixels;
    if (pixel >= t.pixels || channel >= t.channels) continue;
    const int stored =
        *reinterpret_cast<const Stored*>(rows + pixel * Rows::kPitch + channel * int(sizeof(Stored)));
    reals[channel * job.pixels + pixel] = float(stored - zero) * job.unit;
  }
}

// False where the images have no pixel.
bool describe(const Tensor& reals, const CodeTensor& codes, TurnJob& job) {
  job.reals = reals.f32();
  job.image_stride = reals.image_stride;
  job.codes = codes;
  job.pixels = codes.height * codes.width;
  job.channels = codes.channels;
  job.width = uint32_t(codes.width);
  job.pixel_stride = codes.pixel_stride;
  job.access = access_bytes(codes);
  if (job.pixels == 1) {
    // Channels side by side in both: pixels of one channel.
    job.pixels = job.channels;
    job.width = uint32_t(job.channels);
    job.channels = job.pixel_stride = 1;
  }
  job.pixel_tiles = (job.pixels + kPixels - 1) / kPixels;
  job.channel_tiles = (job.channels + kChannels - 1) / kChannels;
  job.tiles = job.pixel_tiles * job.channel_tiles * codes.images;
  return job.tiles > 0;
}

constexpr int64_t kMost = int64_t{1} << 30;

template <class Stored>
void launch_quantise(Context& context, const TurnJob& job, const TrimFormat& format) {
  const Grid grid{int(job.tiles) + job.halo_parts, 1, 1};
  const auto start = [&](auto kernel) {
    launch(context, "quantise_tiles", grid, kThreads, TileRows<Stored>::kBytes, kernel, job, format);
  };
  switch (format.rounding) {
    case Rounding::half_to_even:
      return start(quantise_tiles<Stored, Rounding::half_to_even>);
    case Rounding::half_up:
      return start(quantise_tiles<Stored, Rounding::half_up>);
    case Rounding::floor:
      return start(quantise_tiles<Stored, Rounding::floor>);
    default:
      return start(quantise_tiles<Stored, Rounding::half_away_from_zero>);
  }
}

}  // namespace

bool run(Context& context, const QuantiseArguments& a) {
  TurnJob job{};
  if (!describe(a.src, a.dst, job)) return true;
  if (job.tiles > kMost || job.pixels > kMost) return false;
  job.unit = power_of_two_float(a.format.fractional_length);
  job.halo_parts = halo_blocks(a.dst, kThreads);
  job.report = context.nan_report();
  TrimFormat format;
  format.kind = FormatKind::dynamic_fixed_point;
  format.bit_width = a.format.bit_width;
  format.fractional_length = a.format.fractional_length;
  format.rounding = a.rounding;
  if (a.dst.type == DataType::i16)
    launch_quantise<int16_t>(context, job, format);
  else if (a.dst.type == DataType::u8)
    launch_quantise<uint8_t>(context, job, format);
  else
    launch_quantise<int8_t>(context, job, format);
  return true;
}

bool run(Context& context, const DequantiseArguments& a) {
  TurnJob job{};
  if (!describe(a.dst, a.src, job)) return true;
  if (job.tiles > kMost || job.pixels > kMost) return false;
  job.unit = power_of_two_float(-a.fractional_length);
  const Grid grid{int(job.tiles), 1, 1};
  const auto start = [&](auto kernel, size_t bytes) {
    launch(context, "dequantise_tiles", grid, kThreads, bytes, kernel, job);
  };
  if (a.src.type == DataType::i16)
    start(dequantise_tiles<int16_t>, TileRows<int16_t>::kBytes);
  else if (a.src.type == DataType::u8)
    start(dequantise_tiles<uint8_t>, TileRows<uint8_t>::kBytes);
  else
    start(dequantise_tiles<int8_t>, TileRows<int8_t>::kBytes);
  return true;
}

}  // namespace ristretto::cuda
