import { dynamicFixedPoint } from './dynamic-fixed-point.js';
import { integerPowerOfTwoWeights } from './integer-power-of-two.js';
import { minifloatSearch } from './minifloat.js';
import type { Mode, TrimmingMode } from './mode.js';

/** Every trimming mode by the name that the original's flag has. */
export const modes: Readonly<Record<TrimmingMode, Mode>> = {
  dynamic_fixed_point: dynamicFixedPoint,
  minifloat: minifloatSearch,
  integer_power_of_2_weights: integerPowerOfTwoWeights,
};

export type { Candidate, Mode, ModeInput, ModeOutcome, Part, Search, TrimmingMode } from './mode.js';
