// Weights from (K, C / group, R, S) to the order that tiles have in shared memory: a block of 64 codes of
// each of a tile's columns lies in one piece, vectors where fixed_weights_place says.
#include "convolution_fixed.h"
#include "cuda/launch.h"

namespace ristretto::cuda {

namespace {

constexpr int kThreads = 128;

struct PackJob {
  const int8_t* weights;
  int64_t group_c, group_k;
  int R, S;
  FixedRuns runs;
  char* codes;
  int32_t *magnitude, *total;
  char* zeros;
};

// The weight at `byte` of the padded runs, for column `half` of its output; 0 in what is padding.
RISTRETTO_DEVICE int packed_code(const PackJob& job, const int8_t* filter, int byte, int half) {
  const FixedRuns& runs = job.runs;
  const int run = byte / runs.padded, in_run = byte % runs.padded;
  if (run >= runs.rows * runs.per_row || in_run >= runs.bytes) return 0;
  const int element = runs.words ? in_run / 2 : in_run;
  // The high byte of a little-endian word is the second.
  if (runs.words && in_run % 2 == half) return 0;
  const int r = run / runs.per_row;
  const int64_t s = runs.whole_rows ? element / job.group_c : run % runs.per_row;
  const int64_t c = runs.whole_rows ? element % job.group_c : element;
  return filter[(c * job.R + r) * job.S + s];
}

// A block an output. Codes take kBits.
template <int kBits>
RISTRETTO_KERNEL(kThreads, 4)
pack_fixed_weights(PackJob job) {
  int32_t* sums = shared_memory<int32_t>();
  const FixedRuns& runs = job.runs;
  const int k = block_index(), halves = runs.words ? 2 : 1;
  const int64_t group = k / job.group_k, column = k % job.group_k * halves;
  const int8_t* filter = job.weights + k * job.group_c * job.R * job.S;
  constexpr int kPerByte = 8 / kBits, kColumnBytes = kFixedBlock / kPerByte, kVectors = kColumnBytes / 16;
  constexpr int kMask = (1 << kBits) - 1, kHigh = kMask / 2;
  char* to = job.codes + group * runs.blocks * runs.columns * kColumnBytes;
  int32_t magnitude = 0, total = 0, beyond = 0;
  for (int vector = thread_index(); vector < runs.blocks * kVectors; vector += kThreads) {
    for (int half = 0; half < halves; ++half) {
      Vector16 v = {};
#pragma unroll 1
      for (int part = 0; part < kPerByte; ++part) {
#pragma unroll
        for (int i = 0; i < 16; ++i) {
          const int code = packed_code(job, filter, 16 * (kPerByte * vector + part) + i, half);
          magnitude += code < 0 ? -code : code;
          total += code;
          beyond |= code > kHigh || code < -kHigh - 1;
          v.word[i / 4] |= uint32_t(code & kMask) << (i % 4 * 8 + part * kBits);
        }
      }
      const int64_t block = vector / kVectors;
      const int place = fixed_weights_place<kBits>(int(column) + half, vector % kVectors);
      *reinterpret_cast<Vector16*>(to + block * runs.columns * kColumnBytes + place) = v;
    }
  }
  const bool beyond_here = warp_any(beyond != 0);
  for (int mask = kWarp / 2; mask > 0; mask /= 2) {
    magnitude += shuffle_xor(magnitude, mask);
    total += shuffle_xor(total, mask);
  }
  if (lane_index() == 0) {
    sums[3 * warp_index()] = magnitude;
    sums[3 * warp_index() + 1] = total;
    sums[3 * warp_index() + 2] = beyond_here;
  }
  block_barrier();
  if (thread_index() == 0) {
    bool any_beyond = beyond_here;
    for (int warp = 1; warp < kThreads / kWarp; ++warp) {
      magnitude += sums[3 * warp];
      total += sums[3 * warp + 1];
      any_beyond = any_beyond || sums[3 * warp + 2] != 0;
    }
    // Both columns of an output have its weights.
    job.magnitude[k] = any_beyond ? -1 : magnitude / halves;
    job.total[k] = total / halves;
  }
  if (k == 0 && thread_index() < 32) job.zeros[thread_index()] = char(thread_index() < 16 ? 0 : 128);
}

constexpr int64_t round_up(int64_t value, int64_t to) { return (value + to - 1) / to * to; }

// Whose packing it is: its address is the name.
const char kPacked = 0;

}  // namespace

FixedRuns fixed_runs(const ConvolutionFixedArguments& a) {
  const int code_bytes = int(a.src.element_bytes()), group_c = int(a.src.channels / a.group);
  const int S = int(a.weights.dim[3]);
  FixedRuns runs;
  runs.words = code_bytes == 2;
  // Rows save padding where a tap does not fill its vectors.
  runs.whole_rows = a.group == 1 && a.dilation_w == 1 && a.src.pixel_stride == a.src.channels && S > 1 &&
                    group_c * code_bytes % 16 != 0;
  runs.rows = int(a.weights.dim[2]);
  runs.per_row = runs.whole_rows ? 1 : S;
  runs.bytes = group_c * code_bytes * (runs.whole_rows ? S : 1);
  runs.padded = int(round_up(runs.bytes, 16));
  runs.blocks = int(round_up(runs.depth(), kFixedBlock) / kFixedBlock);
  runs.columns = int(a.dst.channels / a.group) * (runs.words ? 2 : 1);
  return runs;
}

FixedWeights fixed_weights(Context& context, const ConvolutionFixedArguments& a, const FixedRuns& runs,
                           int bits) {
  const int64_t K = a.dst.channels, sums = round_up(K * int64_t(sizeof(int32_t)), 256);
  const int64_t head = 256 + 2 * sums;
  const int64_t bytes = head + a.group * runs.blocks * runs.columns * (kFixedBlock * bits / 8);
  const std::vector<int64_t> facts = {
      runs.whole_rows,  runs.words, a.group, a.weights.dim[0], a.weights.dim[1], a.weights.dim[2],
      a.weights.dim[3], bits,       bytes};
  PackedWeights* kept = a.packed;
  const bool ready =
      kept && kept->packed_by == &kPacked && kept->version == a.weights_version && kept->facts == facts;
  if (kept && !ready && (kept->packed_by != &kPacked || int64_t(kept->data.size()) != bytes)) {
    // Kernels under way may read what goes.
    if (kept->data.size() != 0) context.synchronize();
    kept->version = -1;
    kept->data = AlignedBuffer(size_t(bytes), context.memory());
  }
  char* at = static_cast<char*>(kept ? kept->data.data() : context.scratch(size_t(bytes)));
  char* codes = at + head;
  int32_t* magnitude = reinterpret_cast<int32_t*>(at + 256);
  int32_t* total = reinterpret_cast<int32_t*>(at + 256 + sums);
  if (!ready) {
    if (kept) kept->version = -1;  // until the packing is launched
    const PackJob job{static_cast<const int8_t*>(a.weights.data),
                      a.src.channels / a.group,
                      K / a.group,
                      int(a.weights.dim[2]),
                      int(a.weights.dim[3]),
                      runs,
                      codes,
                      magnitude,
                      total,
                      at};
    launch(context, "pack_fixed_weights", Grid{int(K), 1, 1}, kThreads,
           3 * (kThreads / kWarp) * sizeof(int32_t),
           bits == 4 ? pack_fixed_weights<4> : pack_fixed_weights<8>, job);
    if (kept) {
      kept->packed_by = &kPacked;
      kept->version = a.weights_version;
      kept->facts = facts;
    }
  }
  return {codes, magnitude, total, at};
}

}  // namespace ristretto::cuda
