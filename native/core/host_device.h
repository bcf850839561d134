// Marks the scalar arithmetic that both the host compiler and nvcc compile from the same source.
#pragma once

#if defined(__CUDACC__)
#define RISTRETTO_HOST_DEVICE __host__ __device__ inline
#else
#define RISTRETTO_HOST_DEVICE inline
#endif
