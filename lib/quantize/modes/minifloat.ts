import { exponentBits } from '../../formats/index.js';
import type { NetParameter } from '../../proto/index.js';
import { minifloat } from '../edit-net.js';
import { FALLBACK_WIDTH, Ladder, LADDER_WIDTHS, withinMargin } from '../ladder.js';
import { warnOfMinifloatLimits } from '../limits.js';
import { FormatsByLayer } from './formats-by-layer.js';
import type { Candidate, ModeInput, Search } from './mode.js';

/** Largest magnitudes of all inputs and outputs; integer lengths stand for their powers of two. */
function activationMaxima({ ranges, integerLengths }: ModeInput): number[] {
  return ranges
    ? ranges.flatMap(({ input, output }) => [input, output])
    : integerLengths.flatMap(({ input, output }) => [2 ** input, 2 ** output]);
}

export function minifloatNet(formats: FormatsByLayer, bitWidth: number, exponents: number): NetParameter {
  return formats.quantise(() => minifloat(bitWidth, exponents));
}

/** The original's search: parameters and activations in one minifloat format, 16 bits and down. */
export function* minifloatSearch(input: ModeInput): Search {
  const { errorMargin, warn } = input;
  const formats = new FormatsByLayer(input);
  const exponents = exponentBits(activationMaxima(input));
  warnOfMinifloatLimits(input, exponents);
  // One mantissa bit at least.
  const ladder = new Ladder(LADDER_WIDTHS.filter((width) => width - 1 - exponents > 0));
  let baseline: number | null = null;

  for (;;) {
    const round: Candidate[] =
      baseline === null ? [{ part: 'baseline', bitWidth: null, net: input.net }] : [];
    const width = ladder.next;
    if (width !== null)
      round.push({ part: 'ladder', bitWidth: width, net: minifloatNet(formats, width, exponents) });
    if (round.length === 0) break;
    const scores = yield round;
    baseline ??= scores[0];
    if (width !== null) ladder.accept(scores.at(-1)!, withinMargin(scores.at(-1)!, baseline, errorMargin));
  }

  const chosen = ladder.chosen;
  if (chosen === FALLBACK_WIDTH)
    warn(
      '16 bits are too few for minifloat already: 32 bits are written, with more mantissa than float32 has',
    );
  const net = minifloatNet(formats, chosen, exponents);
  // The step that was chosen is this very net: it is not run again.
  const [combined] = yield [{ part: 'combined', bitWidth: chosen, net }];
  return {
    baseline: baseline!,
    ladders: { ladder: ladder.steps },
    chosen: { ladder: chosen },
    net,
    combined,
    exponentBits: exponents,
  };
}
