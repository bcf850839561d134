import type { Blob } from '../blob/index.js';
import { Layer, type BlobCount, type LayerCheckpoint } from '../graph/layer.js';
import { countIn } from '../layers/checkpoint.js';
import type { NativeStream } from '../native/index.js';
import { create, type Datum } from '../proto/index.js';
import { messageKind } from '../proto/message.js';
import { checkArgument, having, listOf, required } from '../util/check-options.js';
import { decodeDatum } from './datum.js';
import type { DecodedRecord } from './record.js';
import { Staging } from './staging.js';
import { Transformer } from './transformer.js';

const numbers = having('a list of numbers', 'length');
const datumList = listOf(messageKind('Datum'));

/** Batches that the program hands over: data (N, C, H, W) and labels (N). */
export class MemoryData extends Layer {
  readonly bottoms: BlobCount = { exact: 0 };
  readonly tops: BlobCount = { exact: 2 };
  #batchSize = 0;
  #image: [channels: number, height: number, width: number] = [0, 0, 0];
  /** What was added: values as the net sees them, or records to be transformed batch by batch. */
  #data: Float32Array | DecodedRecord[] | null = null;
  #transformer!: Transformer;
  readonly #staging = new Staging(null);
  /** Datums served over all additions: each has a crop of its own. */
  #served = 0;
  #labels = new Float32Array(0);
  #next = 0;
  /** Whether images wait that were never served. */
  #fresh = false;
  /** Where in the images a checkpoint stood, until they are added again. */
  #resumed: { next: number; fresh: boolean } | null = null;

  /** Images in a batch; may be changed between passes while no added images wait. */
  get batchSize(): number {
    return this.#batchSize;
  }
  set batchSize(count: number) {
    if (!Number.isInteger(count) || count < 1) this.fail(`a batch of ${count} images`, 'batch_size');
    if (this.pending > 0) this.fail(`${this.pending} images wait: the batch cannot change`, 'batch_size');
    this.#batchSize = count;
    this.#data = null;
  }

  /** Images that were added and not served yet; 0 once the last add went round. */
  get pending(): number {
    return this.#fresh ? this.#labels.length - this.#next : 0;
  }

  override setup(): void {
    const param = this.param.memory_data_param ?? create('MemoryDataParameter');
    for (const field of ['batch_size', 'channels', 'height', 'width'] as const)
      if (param[field] < 1)
        this.fail(`must be given and positive, not ${param[field]}`, `memory_data_param.${field}`);
    this.#batchSize = param.batch_size;
    this.#image = [param.channels, param.height, param.width];
    this.#transformer = new Transformer(this.param.transform_param, this.name, this.context);
  }

  override reshape(_bottom: readonly Blob[], top: readonly Blob[]): void {
    top[0].reshape([this.#batchSize, ...this.#image]);
    top[1].reshape([this.#batchSize]);
  }

  /**
   * Takes images, a multiple of the batch size, as the net is to see them: n x C x H x W values one after the
   * other, and n labels. They are copied, served batch by batch, and round again until others are added;
   * `transform_param` does not apply to them. Throws while earlier images have not all been served.
   */
  add(data: ArrayLike<number>, labels: ArrayLike<number>): void {
    checkArgument('add', 'data', data, required(numbers));
    checkArgument('add', 'labels', labels, required(numbers));
    const [channels, height, width] = this.#image;
    const size = channels * height * width;
    if (this.pending > 0) this.fail(`${this.pending} images added earlier have not been served yet`);
    if (labels.length === 0 || labels.length % this.#batchSize !== 0)
      this.fail(`${labels.length} labels are not a positive multiple of the batch size ${this.#batchSize}`);
    if (data.length !== labels.length * size)
      this.fail(
        `${labels.length} images of ${channels} x ${height} x ${width} need ${labels.length * size} values, not ${data.length}`,
      );
    this.#take(Float32Array.from(data), Float32Array.from(labels));
  }

  /**
   * Takes Datums, raw or encoded, a multiple of the batch size; `transform_param` applies to them at each pass,
   * and its result must have the layer's channels, height and width. Otherwise as `add`.
   */
  async addDatums(datums: readonly Datum[]): Promise<void> {
    checkArgument('addDatums', 'datums', datums, required(datumList));
    if (datums.length === 0 || datums.length % this.#batchSize !== 0)
      this.fail(`${datums.length} Datums are not a positive multiple of the batch size ${this.#batchSize}`);
    const mode = this.#transformer.colorMode;
    const records = await Promise.all(datums.map((datum, i) => decodeDatum(datum, String(i), mode)));
    for (const record of records) {
      const shape = this.#transformer.outputShape(record);
      if (shape.some((dim, axis) => dim !== this.#image[axis]))
        this.fail(`Datum ${record.key} becomes ${shape.join(' x ')}, not ${this.#image.join(' x ')}`);
    }
    if (this.pending > 0) this.fail(`${this.pending} images added earlier have not been served yet`);
    this.#take(
      records,
      Float32Array.from(records, ({ label }) => label),
    );
  }

  #take(data: Float32Array | DecodedRecord[], labels: Float32Array<ArrayBuffer>): void {
    const { next, fresh } = this.#resumed ?? { next: 0, fresh: true };
    if (next >= labels.length)
      this.fail(`the checkpoint stands at image ${next}, only ${labels.length} images are added`);
    this.#resumed = null;
    this.#data = data;
    this.#labels = labels;
    this.#next = next;
    this.#fresh = fresh;
  }

  override checkpoint(): LayerCheckpoint {
    const { next, fresh } = this.#resumed ?? { next: this.#next, fresh: this.#fresh };
    return { served: this.#served, next, fresh };
  }

  /** Goes on in the images that were added already or, where none were, in those that are added next. */
  override restore(checkpoint: LayerCheckpoint): void {
    const served = countIn(this, checkpoint, 'served');
    const next = countIn(this, checkpoint, 'next');
    const fresh = checkpoint.fresh === true;
    if (this.#data && next >= this.#labels.length)
      this.fail(`the checkpoint stands at image ${next}, only ${this.#labels.length} images were added`);
    this.#served = served;
    this.#resumed = this.#data ? null : { next, fresh };
    if (!this.#data) return;
    this.#next = next;
    this.#fresh = fresh;
  }

  override async forward(bottom: readonly Blob[], top: readonly Blob[], stream: NativeStream): Promise<void> {
    if (!this.#data)
      this.fail(
        'has no images: a program gives MemoryData its images, by add() before the pass; on the command line ' +
          'write a Data or ImageData layer in its place or, to time the net, DummyData',
      );
    await stream.sync();
    this.reshape(bottom, top);
    const [from, to] = [this.#next, this.#next + this.#batchSize];
    const size = top[0].countFrom(1);
    if (Array.isArray(this.#data)) await this.#transform(this.#data.slice(from, to), top[0], stream);
    else top[0].set(this.#data!.subarray(from * size, to * size));
    top[1].set(this.#labels.subarray(from, to));
    this.#next = to % this.#labels.length;
    this.#fresh &&= this.#next > 0;
  }

  async #transform(records: readonly DecodedRecord[], top: Blob, stream: NativeStream): Promise<void> {
    const [, height, width] = this.#image;
    const { src, geometry, first } = await this.#staging.fill(
      records.map((record) => ({
        record,
        crop: this.#transformer.crop(record, this.#served++, height, width),
      })),
    );
    this.#transformer.enqueue(stream, src, geometry, top, first);
    top.version++;
  }
}
