import { existsSync } from 'node:fs';
import { FormatError } from '../errors/index.js';
import type { LayerCheckpoint } from '../graph/index.js';
import { readJsonFile, writeFileAtomic } from '../util/index.js';
import type { Identity } from './identity.js';
import type { LossWindowState } from './loss-window.js';
import type { WatchState } from './watch.js';

const FORMAT = 'ristretto solver checkpoint';
const VERSION = 1;

/** What an exact resume needs besides parameters and histories. */
export interface SideFile {
  iteration: number;
  /** The update rule. */
  type: string;
  seed: number;
  /** Of the files that it was written with. */
  identity: Identity;
  loss: LossWindowState;
  /** Checkpoints of layers by name. */
  train: Record<string, LayerCheckpoint>;
  tests: Record<string, LayerCheckpoint>[];
  watch: WatchState | null;
}

export function writeSideFile(path: string, content: SideFile): void {
  writeFileAtomic(path, `${JSON.stringify({ format: FORMAT, version: VERSION, ...content }, null, 1)}\n`);
}

/** The side file's content; null where there is none. */
export function readSideFile(path: string): SideFile | null {
  if (!existsSync(path)) return null;
  const content = readJsonFile(path) as (SideFile & { format?: unknown; version?: unknown }) | null;
  if (content?.format !== FORMAT)
    throw new FormatError(`does not say that it is a '${FORMAT}'`, { file: path, field: 'format' });
  if (content.version !== VERSION)
    throw new FormatError(`is version ${String(content.version)}; ${VERSION} can be read`, {
      file: path,
      field: 'version',
    });
  for (const field of ['iteration', 'seed'] as const)
    if (!Number.isSafeInteger(content[field]))
      throw new FormatError('is not a whole number', { file: path, field });
  for (const field of ['identity', 'loss', 'train'] as const)
    if (typeof content[field] !== 'object' || content[field] === null)
      throw new FormatError('is missing', { file: path, field });
  if (!Array.isArray(content.tests)) throw new FormatError('is missing', { file: path, field: 'tests' });
  if (!Array.isArray(content.loss.losses))
    throw new FormatError('is missing', { file: path, field: 'loss.losses' });
  return content;
}
