import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The reference data; tests that need it are skipped, visibly, where it is absent. */
export const reference = resolve(
  import.meta.dirname,
  '../..',
  process.env.RISTRETTO_REFERENCE || '../shared',
);
export const hasReference = existsSync(join(reference, 'reference'));
