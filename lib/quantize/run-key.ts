import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { encode, filesNamedBy, printText, type NetParameter } from '../proto/index.js';

/** Raised when evaluations of an earlier version must not be taken up. */
const RESULTS_VERSION = 2;

/** Digest of a net without regard to how its prototxt is laid out. */
export function netDigest(net: NetParameter): string {
  return createHash('sha256').update(printText(net)).digest('hex');
}

async function fileDigest(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Names, sizes and times of the files that a data source consists of: its content without reading it. */
function sourceIdentity(source: string): unknown {
  const identity = (path: string) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat ? [path, stat.size, stat.mtimeMs] : [path, null];
  };
  const stat = statSync(source, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) return identity(source);
  return readdirSync(source)
    .filter((name) => !/lock/i.test(name))
    .sort()
    .map((name) => identity(join(source, name)));
}

/**
 * Digest of everything that the scores of a search depend on, but for the nets themselves: weights, data, and
 * the settings given.
 */
export async function runKey(
  net: NetParameter,
  weights: string | NetParameter,
  sources: readonly (string | undefined)[],
  settings: Readonly<Record<string, unknown>>,
): Promise<string> {
  const named = [
    ...filesNamedBy(net).map(({ path }) => path),
    ...sources.filter((source) => source !== undefined),
  ];
  return createHash('sha256')
    .update(
      JSON.stringify({
        version: RESULTS_VERSION,
        weights:
          typeof weights === 'string'
            ? await fileDigest(weights)
            : createHash('sha256').update(encode(weights)).digest('hex'),
        net: netDigest(net),
        sources: named.map(sourceIdentity),
        settings,
      }),
    )
    .digest('hex');
}
