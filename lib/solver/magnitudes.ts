import { Blob } from '../blob/index.js';
import type { Observer } from '../graph/index.js';
import { ops, type NativeStream, type NativeTensor } from '../native/index.js';
import type { BlobMagnitude } from './events.js';

/** Collects the mean magnitude of every blob that passes, without stopping the stream. */
export class Magnitudes {
  readonly #pending: (Omit<BlobMagnitude, 'value'> & { result: Blob })[] = [];

  readonly forward: Observer = (layer, _bottom, top, stream) => {
    for (const blob of top)
      if (!blob.strided) this.#measure(stream, blob.tensor(), blob, 'forward', layer.name, 'top');
    for (const blob of layer.blobs)
      this.#measure(stream, blob.tensor(), blob, 'forward', layer.name, 'param');
  };

  readonly backward: Observer = (layer, bottom, _top, stream) => {
    for (const blob of bottom)
      this.#measure(stream, blob.diffTensor(), blob, 'backward', layer.name, 'bottom');
    for (const blob of layer.blobs)
      this.#measure(stream, blob.diffTensor(), blob, 'backward', layer.name, 'param');
  };

  /** What was collected since the last call; the stream must be at rest. */
  take(): BlobMagnitude[] {
    return this.#pending.splice(0).map(({ result, ...place }) => ({ ...place, value: result.data[0] }));
  }

  #measure(
    stream: NativeStream,
    src: NativeTensor,
    blob: Blob,
    pass: BlobMagnitude['pass'],
    layer: string,
    kind: BlobMagnitude['kind'],
  ): void {
    if (blob.count === 0) return;
    const result = new Blob('magnitude', [1]);
    ops.reduce(stream, {
      src,
      dst: result.tensor(),
      operation: 'absoluteSum',
      coefficient: 1 / blob.count,
      label: layer,
    });
    this.#pending.push({ pass, layer, blob: blob.name, kind, result });
  }
}
