import { fixedPointActivations, integerPowerOfTwo } from '../edit-net.js';
import { withinMargin } from '../ladder.js';
import { warnOfFixedPointLimits, warnOfPowerOfTwoLimits } from '../limits.js';
import { FormatsByLayer } from './formats-by-layer.js';
import type { ModeInput, Search } from './mode.js';

/** Weights are 2^-8 … 2^-1 with a sign: 4 bits. Biases stay float32. */
const EXPONENT_MIN = -8;
const EXPONENT_MAX = -1;
const WEIGHT_BITS = 4;
const ACTIVATION_BITS = 8;

/** No search: weights become powers of two, activations 8-bit dynamic fixed point, and the net is scored. */
export function* integerPowerOfTwoWeights(input: ModeInput): Search {
  const formats = new FormatsByLayer(input);
  warnOfPowerOfTwoLimits(input);
  warnOfFixedPointLimits(input, ['input', 'output']);
  const net = formats.quantise((lengths) => ({
    ...integerPowerOfTwo(EXPONENT_MIN, EXPONENT_MAX),
    ...fixedPointActivations(ACTIVATION_BITS, lengths.input, lengths.output),
  }));
  const [baseline, combined] = yield [
    { part: 'baseline', bitWidth: null, net: input.net },
    { part: 'combined', bitWidth: WEIGHT_BITS, net },
  ];
  const step = {
    bitWidth: WEIGHT_BITS,
    score: combined,
    passed: withinMargin(combined, baseline, input.errorMargin),
  };
  return { baseline, ladders: { ladder: [step] }, chosen: { ladder: WEIGHT_BITS }, net, combined };
}
