import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The reference data; tests that need it are skipped, visibly, where it is absent. */
export const reference = resolve(
  import.meta.dirname,
  '../..',
  process.env.RISTRETTO_REFERENCE || '../shared',
);
export const hasReference = existsSync(join(reference, 'reference'));

/** The folders of a part of the reference data that hold a file: one case each, whichever there are. */
export function casesIn(part: string, file: string): string[] {
  const folder = join(reference, part);
  return hasReference
    ? readdirSync(folder)
        .filter((name) => existsSync(join(folder, name, file)))
        .sort()
    : [];
}
