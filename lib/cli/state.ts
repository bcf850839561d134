import { UsageError } from '../errors/index.js';
import { Phase } from '../proto/index.js';

/** The phase that --phase names. */
export function phaseOf(flag: string | undefined, unset: Phase): Phase {
  if (flag === undefined) return unset;
  if (flag === 'TRAIN' || flag === 'TEST') return Phase[flag];
  throw new UsageError('phase must be "TRAIN" or "TEST"');
}

/** The stages that --stage lists, separated by commas. */
export function stagesOf(flag: string | undefined): string[] {
  return (flag ?? '').split(',').filter((stage) => stage !== '');
}
