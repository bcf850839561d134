import { createHash } from 'node:crypto';
import { blobData, type BlobProto, type NetParameter, type SolverState } from '../proto/index.js';

type Hash = ReturnType<typeof createHash>;

function add(hash: Hash, name: string, blobs: readonly BlobProto[]): void {
  for (const [index, blob] of blobs.entries()) {
    const data = blobData(blob, { field: `${name}[${index}]` });
    hash.update(`${name}[${index}] ${data.length} `);
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
}

/** A digest of what a snapshot says, whatever the format of its files. */
export interface Identity {
  state: string;
  parameters: string;
}

/** Of a solver's state but for the name of the model, which may be moved. */
export function stateIdentity(state: SolverState): string {
  const hash = createHash('sha256');
  hash.update(`iter ${state.iter} step ${state.current_step} `);
  add(hash, 'history', state.history);
  return hash.digest('hex');
}

/** Of a model's parameters. Blobs that a file leaves out, because others share them, count as nothing. */
export function parametersIdentity(net: NetParameter): string {
  const hash = createHash('sha256');
  const layers = net.layer.filter(({ blobs }) => blobs.length > 0);
  for (const { name, blobs } of layers.sort((a, b) => (a.name < b.name ? -1 : 1))) add(hash, name, blobs);
  return hash.digest('hex');
}
