// The rate of independent multiply-adds in registers: what no kernel on one core can exceed.
#pragma once

#include "core/cpu/features.h"

// Floating-point operations per second (two per multiply-add) of the widest allowed instruction set; the best
// of a few short runs.
double measure_fma_rate(const ristretto::CpuFeatures& features);
