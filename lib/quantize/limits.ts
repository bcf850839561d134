import {
  DEFAULT_EXPONENT_WINDOW,
  MOST_FRACTIONAL_LENGTH,
  LEAST_FRACTIONAL_LENGTH,
  minifloat,
  representableRange,
} from '../formats/index.js';
import { FALLBACK_WIDTH } from './ladder.js';
import type { ModeInput } from './modes/mode.js';

type Part = 'input' | 'output' | 'parameters';

/** Beyond it a format of one bit would need a coarser step than there is. */
const NEAR_GREATEST = 2 ** -LEAST_FRACTIONAL_LENGTH;

/** Six digits say which number it is. */
const text = (value: number) => String(Number(value.toPrecision(6)));

/** Tells of every part of every layer for which `verdict` has something to say. */
function tell(
  { ranges, warn }: ModeInput,
  parts: readonly Part[],
  verdict: (maximum: number) => string | null,
): void {
  for (const range of ranges ?? [])
    for (const part of parts) {
      const maximum = range[part];
      // Of zeros is told where integer lengths are chosen.
      const said = maximum > 0 ? verdict(maximum) : null;
      if (said)
        warn(`layer ${range.layer}: the largest magnitude of its ${part} is ${text(maximum)}, ${said}`);
    }
}

/** Ranges so near the ends of float32's that some width's fractional length would be one that no format has. */
export function warnOfFixedPointLimits(
  input: ModeInput,
  parts: readonly Part[] = ['input', 'output', 'parameters'],
): void {
  tell(input, parts, (maximum) => {
    if (maximum <= 2 ** (FALLBACK_WIDTH - MOST_FRACTIONAL_LENGTH - 1))
      return (
        `near the least of float32: fractional lengths end at ${MOST_FRACTIONAL_LENGTH}, ` +
        `and what is smaller than half a step of 2^-${MOST_FRACTIONAL_LENGTH} becomes 0`
      );
    return maximum > NEAR_GREATEST
      ? `near the greatest of float32: fractional lengths end at ${LEAST_FRACTIONAL_LENGTH}, and sums may overflow`
      : null;
  });
}

/** Ranges that lie wholly under, or reach beyond, what minifloats of these exponent bits hold. */
export function warnOfMinifloatLimits(input: ModeInput, exponentBits: number): void {
  const least = 2 ** (1 - 2 ** (exponentBits - 1));
  const { greatest } = representableRange(minifloat(FALLBACK_WIDTH, exponentBits));
  tell(input, ['input', 'output', 'parameters'], (maximum) => {
    if (maximum < least)
      return `below the least of a minifloat of ${exponentBits} exponent bits, ${text(least)}: all become 0`;
    if (maximum > NEAR_GREATEST) return 'near the greatest of float32: sums may overflow';
    return maximum > 2 * greatest
      ? `beyond the greatest of a minifloat of ${exponentBits} exponent bits, ${text(greatest)}, which stands for it`
      : null;
  });
}

/** Weights that all become the same power of two, or that are far beyond the greatest. */
export function warnOfPowerOfTwoLimits(input: ModeInput): void {
  const { min, max } = DEFAULT_EXPONENT_WINDOW;
  tell(input, ['parameters'], (maximum) => {
    if (maximum < 2 ** (min - 0.5))
      return `below the least power of two, 2^${min}: all become 2^${min} or -2^${min}`;
    return maximum > NEAR_GREATEST ? `near the greatest of float32; 2^${max} stands for it` : null;
  });
}
