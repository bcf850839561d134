import type { Rounding } from '../native/index.js';

const ROUNDING: Readonly<Record<string, Rounding>> = {
  away: 'halfAwayFromZero',
  even: 'halfToEven',
  up: 'halfUp',
  floor: 'floor',
};

/** The rounding that --rounding names. */
export function roundingOf(flag: string | undefined): Rounding | undefined {
  return flag === undefined ? undefined : ROUNDING[flag];
}
