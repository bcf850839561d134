import type { Blob } from '../blob/index.js';
import { DataError } from '../errors/index.js';
import { Layer, type BlobCount, type LayerCheckpoint } from '../graph/layer.js';
import { countIn } from '../layers/checkpoint.js';
import type { NativeStream } from '../native/index.js';
import { Phase } from '../proto/index.js';
import { RandomWords } from '../util/philox.js';
import { ImageCache } from './image-cache.js';
import { recordBytes, RecordError, type DecodedRecord, type RecordSource } from './record.js';
import { RecordStream, type LoadedRecord } from './record-stream.js';
import { Staging, type FilledBatch, type PlacedRecord } from './staging.js';
import { Transformer } from './transformer.js';
import { Uploads } from './uploads.js';

/** What a data layer tells about its reading; `rewind` and `seek` are for searches and resumed runs. */
export interface Rewindable {
  /** Ordinal of the record that the next forward starts with, counted over all passes. */
  readonly position: number;
  /** Records skipped because they could not be read (`skipBad`). */
  readonly skipped: number;
  /** The keys of the first ones skipped. */
  readonly skippedKeys: readonly string[];
  /** The next forward starts with this record. */
  seek(ordinal: number): void;
  /** The next forward starts over. */
  rewind(): void;
}

/** Whether a layer reads data that can be started over. */
export function isRewindable(layer: object): layer is Layer & Rewindable {
  return typeof (layer as Partial<Rewindable> | null | undefined)?.rewind === 'function';
}

interface ReadyBatch {
  staging: Staging;
  shape: [number, number, number];
  filled: FilledBatch;
  labels: Float32Array;
  /** Position after this batch. */
  next: number;
  /** Keys of the records left out on the way to this batch. */
  skippedKeys: string[];
}

const MAX_SKIPPED_KEYS = 100;

/**
 * A layer that reads batches of records: data (N, C, H, W) and, with a second top, labels (N). Records are
 * decoded ahead on other threads; the next batch is laid out, and brought to the net's GPU, while the net runs; the
 * transform runs on the net's stream and writes the top directly.
 */
export abstract class RecordLayer extends Layer implements Rewindable {
  readonly bottoms: BlobCount = { exact: 0 };
  readonly tops: BlobCount = { min: 1, max: 2 };
  protected transformer!: Transformer;
  #source!: RecordSource;
  #cache: ImageCache | null = null;
  #stream: RecordStream | null = null;
  #shape: [number, number, number] = [0, 0, 0];
  #recordBytes = 0;
  #start = 0;
  #position = 0;
  #pending: Promise<ReadyBatch> | null = null;
  /** Two: one is read by the transform while the other is filled. */
  readonly #uploads = new Uploads();
  readonly #stagings = [new Staging(this.#uploads), new Staging(this.#uploads)];
  #generation = 0;
  #skipped = 0;
  readonly #skippedKeys: string[] = [];
  #closed = false;

  /** Opens the source; called once. */
  protected abstract open(): Promise<RecordSource>;
  protected abstract get batchSize(): number;
  /** The prototxt's bound on random skipping at the start; 0 for none. */
  protected abstract get randSkip(): number;

  get position(): number {
    return this.#position - this.#start;
  }
  get skipped(): number {
    return this.#skipped;
  }
  get skippedKeys(): readonly string[] {
    return this.#skippedKeys;
  }
  /** Records in one pass; null where the source has not reached its end yet. */
  get recordCount(): number | null {
    return this.#source.count;
  }

  override async setup(): Promise<void> {
    if (this.batchSize < 1) this.fail('a positive batch size is required', 'batch_size');
    this.transformer = new Transformer(this.param.transform_param, this.name, this.context);
    this.#source = await this.open();
    try {
      if (this.#source.count === 0) throw new DataError('holds no records', this.#place);
      this.#cache = ImageCache.acquire(this.#source.identity);
      if (this.randSkip > 0) {
        const skip = new RandomWords(this.context.seed, `${this.name}/skip`).next() % this.randSkip;
        if (this.#source.count !== null && skip >= this.#source.count)
          this.fail(`skips ${skip} of ${this.#source.count} records`, 'rand_skip');
        this.#start = skip;
      }
      this.#position = this.#start;
      const first = await this.#firstRecord();
      this.#shape = this.transformer.outputShape(first);
      this.#recordBytes = recordBytes(first);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  override reshape(_bottom: readonly Blob[], top: readonly Blob[]): void {
    top[0].reshape([this.batchSize, ...this.#shape]);
    top[1]?.reshape([this.batchSize]);
  }

  override async forward(
    _bottom: readonly Blob[],
    top: readonly Blob[],
    stream: NativeStream,
  ): Promise<void> {
    if (this.#closed) throw new DataError('the source is closed', this.#place);
    this.#pending ??= this.#assemble();
    const pending = this.#pending;
    let batch: ReadyBatch;
    try {
      batch = await pending;
    } catch (error) {
      if (this.#pending === pending) this.#pending = null;
      throw this.#located(error);
    }
    // What reads the tops and the other staging memory is done from here on.
    await stream.sync();
    this.#position = batch.next;
    this.#skipped += batch.skippedKeys.length;
    this.#skippedKeys.push(...batch.skippedKeys.slice(0, MAX_SKIPPED_KEYS - this.#skippedKeys.length));
    this.#shape = batch.shape;
    this.reshape([], top);
    const { src, geometry, first } = batch.filled;
    this.transformer.enqueue(stream, src, geometry, top[0], first);
    top[0].version++;
    top[1]?.set(batch.labels);
    this.#stagings.push(batch.staging);
    this.#pending = this.#assemble();
    this.#pending.catch(() => undefined); // told at the next forward
  }

  seek(ordinal: number): void {
    this.#generation++;
    this.#stream?.stop();
    this.#stream = null;
    this.#pending = null;
    while (this.#stagings.length < 2) this.#stagings.unshift(new Staging(this.#uploads));
    this.#position = this.#start + ordinal;
  }

  rewind(): void {
    this.seek(0);
  }

  /** What was served, not what was read ahead: orders, crops and mirrors follow from it and the seed. */
  override checkpoint(): LayerCheckpoint {
    return { position: this.position, skipped: this.#skipped, skippedKeys: [...this.#skippedKeys] };
  }

  override restore(checkpoint: LayerCheckpoint): void {
    const { skippedKeys } = checkpoint;
    const position = countIn(this, checkpoint, 'position');
    const skipped = countIn(this, checkpoint, 'skipped');
    if (!Array.isArray(skippedKeys) || !skippedKeys.every((key) => typeof key === 'string'))
      this.fail('the checkpoint has no list of skipped keys');
    this.seek(position);
    this.#skipped = skipped;
    this.#skippedKeys.splice(0, Infinity, ...skippedKeys);
  }

  override async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.seek(0);
    this.#stagings.length = 0;
    this.#uploads.close();
    this.#cache?.release();
    await this.#source?.close();
  }

  get #place() {
    return { file: this.#source?.place, layer: this.name };
  }

  /** The record that decides the shape: the first, or the first readable one. */
  async #firstRecord(): Promise<DecodedRecord> {
    const stream = new RecordStream(this.#source, this.#cache!, this.#position, 1);
    try {
      return (await this.#nextGood(stream, null, null, [])).record;
    } catch (error) {
      throw this.#located(error);
    } finally {
      stream.stop();
    }
  }

  /** The next record that can be used; bad ones are skipped and counted where the context allows it. */
  async #nextGood(
    stream: RecordStream,
    channels: number | null,
    shape: readonly number[] | null,
    skippedKeys: string[],
  ): Promise<LoadedRecord> {
    for (let bad = 0; ;) {
      this.context.signal?.throwIfAborted();
      try {
        const loaded = await stream.next();
        if (channels !== null)
          this.transformer.requireShape(loaded.record, channels, shape, this.#source.place);
        return loaded;
      } catch (error) {
        if (!(error instanceof RecordError) || !this.context.skipBad) throw error;
        if (++bad >= (this.#source.count ?? Infinity))
          throw new DataError(`none of the ${bad} records can be read; the last: ${error.reason}`, {
            ...this.#place,
            cause: error,
          });
        skippedKeys.push(error.key);
      }
    }
  }

  /** Collects a batch and lays it out for the transform. */
  async #assemble(): Promise<ReadyBatch> {
    const generation = this.#generation;
    this.#stream ??= new RecordStream(
      this.#source,
      this.#cache!,
      this.#position,
      this.batchSize * Math.max(1, this.param.data_param?.prefetch ?? 4),
      this.#recordBytes,
    );
    const stream = this.#stream;
    const batch: PlacedRecord[] = [];
    const labels = new Float32Array(this.batchSize);
    let shape = this.transformer.param.crop_size ? this.#shape : null;
    let next = this.#position;
    const skippedKeys: string[] = [];
    while (batch.length < this.batchSize) {
      // As in Caffe, the first record of a batch decides its shape where there is no crop.
      const { ordinal, record } = await this.#nextGood(stream, this.#shape[0], shape, skippedKeys);
      shape ??= this.transformer.outputShape(record);
      labels[batch.length] = record.label;
      batch.push({ record, crop: this.transformer.crop(record, ordinal, shape[1], shape[2]) });
      next = ordinal + 1;
    }
    if (generation !== this.#generation) throw new DataError('reading was started over', this.#place);
    const staging = this.#stagings.shift()!;
    try {
      return { staging, shape: shape!, filled: await staging.fill(batch), labels, next, skippedKeys };
    } catch (error) {
      if (generation === this.#generation) this.#stagings.unshift(staging);
      throw error;
    }
  }

  /** Adds the layer to an error that a source raised. */
  #located(error: unknown): unknown {
    if (error instanceof RecordError && !error.layer)
      return new RecordError(error.key, error.reason.slice(`record '${error.key}': `.length), {
        file: error.file,
        layer: this.name,
        cause: error.cause,
      });
    return error;
  }

  protected get training(): boolean {
    return this.context.phase === Phase.TRAIN;
  }
}
