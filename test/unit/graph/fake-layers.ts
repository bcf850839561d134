// Tiny layers that compute in JavaScript, to try the net's own work.
import { Blob } from '../../../lib/blob/index.js';
import { Layer, type BlobCount, type LayerFactory, type LayerRegistry } from '../../../lib/graph/index.js';

/** What the fake layers did, in order; filled anew by each test. */
export const journal: string[] = [];

abstract class Fake extends Layer {
  bottoms: BlobCount = { exact: 1 };
  tops: BlobCount = { exact: 1 };
  override reshape(bottom: readonly Blob[], top: readonly Blob[]): void {
    for (const blob of top) blob.reshape(bottom[0].shape);
  }
  override forward(bottom: readonly Blob[], top: readonly Blob[]): void | Promise<void> {
    journal.push(this.name);
    this.compute(bottom, top);
  }
  compute(_bottom: readonly Blob[], _top: readonly Blob[]): void {}
}

class Input extends Fake {
  override bottoms = { exact: 0 };
  override tops = { min: 1 };
  override setup(_: readonly Blob[], top: readonly Blob[]): void {
    for (const [i, blob] of top.entries())
      blob.reshape([...this.param.input_param!.shape[i].dim].map(Number));
  }
  override reshape(): void {}
}

/** A source that yields 1, 2, 3, … in every element, one more at every pass; its batch is `dim`. */
class Counter extends Fake {
  override bottoms = { exact: 0 };
  passes = 0;
  override setup(_: readonly Blob[], [top]: readonly Blob[]): void {
    top.reshape(this.param.dummy_data_param!.shape[0].dim);
  }
  override reshape(): void {}
  override async forward(_: readonly Blob[], [top]: readonly Blob[]): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 1));
    journal.push(this.name);
    this.passes++;
    top.set(new Float32Array(top.count).fill(this.passes));
  }
  override close(): void {
    journal.push(`close ${this.name}`);
  }
}

/** y = x + 1, slices and parts welcome. */
class AddOne extends Fake {
  override get splitsBatch() {
    return true;
  }
  relu = false;
  override get acceptsStridedTop() {
    return true;
  }
  override get acceptsStridedBottom() {
    return true;
  }
  override fuseRelu(): boolean {
    return (this.relu = true);
  }
  override compute([bottom]: readonly Blob[], [top]: readonly Blob[]): void {
    write(
      top,
      bottom.toArray().map((x) => (this.relu ? Math.max(0, x + 1) : x + 1)),
    );
  }
}

/** Into a blob or a slice of one. */
function write(blob: Blob, values: Float32Array): void {
  if (!blob.strided) return blob.set(values);
  const { data } = blob.owner;
  const image = blob.countFrom(1);
  const whole = blob.owner.countFrom(1);
  const offset = sliceOffsets.get(blob) ?? 0;
  for (let n = 0; n < blob.shape[0]; n++)
    data.set(values.subarray(n * image, (n + 1) * image), n * whole + offset);
}

/** Offsets of slices are the plan's secret; the test's Concat tells them here. */
export const sliceOffsets = new WeakMap<Blob, number>();

class ReLU extends Fake {
  override compute([bottom]: readonly Blob[], [top]: readonly Blob[]): void {
    write(
      top,
      bottom.toArray().map((x) => Math.max(0, x)),
    );
  }
}

class Negate extends Fake {
  override get splitsBatch() {
    return true;
  }
  override compute([bottom]: readonly Blob[], [top]: readonly Blob[]): void {
    write(
      top,
      bottom.toArray().map((x) => -x),
    );
  }
}

class Split extends Fake {
  override get splitsBatch() {
    return true;
  }
  override tops = { min: 1 };
  override reshape([bottom]: readonly Blob[], top: readonly Blob[]): void {
    for (const blob of top) {
      blob.reshape(bottom.shape);
      blob.shareData(bottom);
    }
  }
}

class Concat extends Fake {
  override get splitsBatch() {
    return true;
  }
  override bottoms = { min: 1 };
  override reshape(bottom: readonly Blob[], [top]: readonly Blob[]): void {
    const shape = [...bottom[0].shape];
    shape[1] = 0;
    for (const blob of bottom) {
      sliceOffsets.set(blob, shape[1] * blob.countFrom(2));
      shape[1] += blob.shape[1];
    }
    top.reshape(shape);
  }
  override compute(bottom: readonly Blob[], [top]: readonly Blob[]): void {
    const { data } = top;
    for (let n = 0, at = 0; n < top.shape[0]; n++)
      for (const blob of bottom) {
        const image = blob.countFrom(1);
        data.set(blob.toArray().subarray(n * image, (n + 1) * image), at);
        at += image;
      }
  }
}

/** y = sum of all bottoms. */
class Sum extends Fake {
  override bottoms = { min: 1 };
  override compute(bottom: readonly Blob[], [top]: readonly Blob[]): void {
    const total = new Float32Array(top.count);
    for (const blob of bottom) blob.toArray().forEach((x, i) => (total[i] += x));
    top.set(total);
  }
}

/** A loss: the mean of its bottom. */
class Mean extends Fake {
  override get autoTopBlobs() {
    return true;
  }
  override defaultLossWeight(index: number): number {
    return index === 0 ? 1 : 0;
  }
  override reshape(_: readonly Blob[], [top]: readonly Blob[]): void {
    top.reshape([]);
  }
  override compute([bottom]: readonly Blob[], [top]: readonly Blob[]): void {
    top.set([bottom.toArray().reduce((sum, x) => sum + x, 0) / bottom.count]);
  }
}

/** y = w * x with a learnable w of shape (1, dim of axis 1). */
class Weigh extends Fake {
  override setup([bottom]: readonly Blob[]): void {
    const blob = new Blob(`${this.name}.w`, [1, bottom.shape[1]]);
    this.learnable.push({ blob, filler: this.param.inner_product_param?.weight_filler ?? null });
  }
  override compute([bottom]: readonly Blob[], [top]: readonly Blob[]): void {
    const w = this.blobs[0].data;
    top.set(bottom.toArray().map((x, i) => x * w[i % w.length]));
  }
}

/** Passes the positive values on: the top's shape depends on values. */
class Positive extends Fake {
  override reshape([bottom]: readonly Blob[], [top]: readonly Blob[]): void {
    top.reshape([bottom.count]);
  }
  override compute([bottom]: readonly Blob[], [top]: readonly Blob[]): void {
    const kept = bottom.toArray().filter((x) => x > 0);
    top.reshape([kept.length]);
    top.set(kept);
  }
}

class Broken extends Fake {
  override compute(): void {
    throw new Error('out of order');
  }
}

const of =
  (Class: new (...args: Parameters<LayerFactory>) => Layer): LayerFactory =>
  (param, context) =>
    new Class(param, context);

export const fakes: LayerRegistry = {
  Input: of(Input),
  Counter: of(Counter),
  AddOne: of(AddOne),
  ReLU: of(ReLU),
  Negate: of(Negate),
  Split: of(Split),
  Concat: of(Concat),
  Sum: of(Sum),
  Mean: of(Mean),
  Weigh: of(Weigh),
  Positive: of(Positive),
  Broken: of(Broken),
};
