// The backward pass of nets: which gradients are computed, where they lie, what is left readable.
import { describe, expect, it } from 'vitest';
import type { Blob } from '../../../lib/blob/index.js';
import { Blob as BlobClass } from '../../../lib/blob/index.js';
import {
  Layer,
  Net,
  type BackwardPass,
  type BackwardReads,
  type BlobCount,
  type LayerRegistry,
  type NetOptions,
} from '../../../lib/graph/index.js';
import type { NativeStream } from '../../../lib/native/index.js';
import { create, parseText, Phase } from '../../../lib/proto/index.js';

/** Layers in plain JavaScript that log their backward passes. */
abstract class Plain extends Layer {
  bottoms: BlobCount = { min: 1 };
  tops: BlobCount = { min: 1 };
  override reshape([bottom]: readonly Blob[], top: readonly Blob[]): void {
    for (const blob of top) if (blob !== bottom) blob.reshape(bottom.shape);
  }
  override async forward(bottom: readonly Blob[], top: readonly Blob[], stream: NativeStream) {
    await stream.sync();
    this.compute(bottom, top);
  }
  override async backward(pass: BackwardPass, stream: NativeStream) {
    await stream.sync();
    calls.push(this.name);
    this.differentiate(pass);
  }
  protected abstract compute(bottom: readonly Blob[], top: readonly Blob[]): void;
  protected abstract differentiate(pass: BackwardPass): void;
}

const calls: string[] = [];

/** y = w * x with one weight. */
class Times extends Plain {
  override setup(): void {
    this.learnable.push({
      blob: new BlobClass(`${this.name}.w`, [1]),
      filler: create('FillerParameter', { type: 'constant', value: 2 }),
    });
  }
  override get backwardReads(): BackwardReads {
    return { bottom: true, top: false };
  }
  protected compute([x]: readonly Blob[], [y]: readonly Blob[]): void {
    y.data.set(x.data.map((value) => value * this.blobs[0].data[0]));
  }
  protected differentiate({ bottom: [x], top: [y], propagateDown, paramWanted }: BackwardPass): void {
    const [w] = this.blobs;
    const diff = y.diffToArray();
    if (paramWanted[0]) w.diff[0] += diff.reduce((sum, d, i) => sum + d * x.data[i], 0);
    if (propagateDown[0]) x.diff.set(diff.map((d) => d * w.data[0]));
  }
}

/** max(x, 0), by what it wrote: works in place. */
class Rectify extends Plain {
  override get backwardReads(): BackwardReads {
    return { bottom: false, top: true };
  }
  protected compute([x]: readonly Blob[], [y]: readonly Blob[]): void {
    y.data.set(x.data.map((value) => Math.max(value, 0)));
  }
  protected differentiate({ bottom: [x], top: [y] }: BackwardPass): void {
    x.diff.set(y.diff.map((d, i) => (y.data[i] > 0 ? d : 0)));
  }
}

/** x squared, by what it read: cannot work in place. */
class Square extends Plain {
  override get backwardReads(): BackwardReads {
    return { bottom: true, top: false };
  }
  protected compute([x]: readonly Blob[], [y]: readonly Blob[]): void {
    y.data.set(x.data.map((value) => value * value));
  }
  protected differentiate({ bottom: [x], top: [y] }: BackwardPass): void {
    x.diff.set(y.diff.map((d, i) => 2 * x.data[i] * d));
  }
}

class Copies extends Plain {
  protected compute([x]: readonly Blob[], top: readonly Blob[]): void {
    for (const y of top) y.data.set(x.data);
  }
  protected differentiate({ bottom: [x], top, topHasDiff }: BackwardPass): void {
    x.diff.fill(0);
    for (const [t, y] of top.entries()) if (topHasDiff[t]) y.diff.forEach((d, i) => (x.diff[i] += d));
  }
}

/** The sum of its first bottom; a second one is a label. */
class Sum extends Plain {
  override defaultLossWeight(): number {
    return 1;
  }
  override takesDiff(index: number): boolean {
    return index === 0;
  }
  override reshape(_: readonly Blob[], [top]: readonly Blob[]): void {
    top.reshape([]);
  }
  protected compute([x]: readonly Blob[], [y]: readonly Blob[]): void {
    y.data[0] = x.data.reduce((a, b) => a + b, 0);
  }
  protected differentiate({ bottom: [x], top: [y], propagateDown }: BackwardPass): void {
    expect(propagateDown[1] ?? false).toBe(false);
    if (propagateDown[0]) x.diff.fill(y.diff[0]);
  }
}

class Input extends Plain {
  override bottoms: BlobCount = { exact: 0 };
  override reshape(_: readonly Blob[], [top]: readonly Blob[]): void {
    top.reshape([3]);
  }
  protected compute(): void {}
  protected differentiate(): void {}
}

const registry = Object.fromEntries(
  Object.entries({ Times, Rectify, Square, Split: Copies, Sum, Input }).map(([type, Class]) => [
    type,
    (...args: Parameters<LayerRegistry[string]>) => new Class(...args),
  ]),
) as LayerRegistry;

const make = (layers: string, options: Partial<NetOptions> = {}) =>
  Net.create({
    param: parseText('NetParameter', `layer { name: "in" type: "Input" top: "x" } ${layers}`),
    registry,
    phase: Phase.TRAIN,
    threads: 1,
    keep: 'all',
    backward: true,
    ...options,
  });

async function train(net: Net, x = [1, -2, 3]): Promise<void> {
  calls.length = 0;
  net.blob('x').set(x);
  await net.forward();
  await net.backward();
}

const chain = `
  layer { name: "a" type: "Times" bottom: "x" top: "a" }
  layer { name: "b" type: "Times" bottom: "a" top: "b" }
  layer { name: "loss" type: "Sum" bottom: "b" top: "loss" }`;

describe('the backward pass', () => {
  it('runs against the order of layers and adds to the parameters', async () => {
    const net = await make(chain);
    await train(net);
    expect(calls).toEqual(['loss', 'b', 'a']);
    expect(net.params.map(({ blob }) => blob.diff[0])).toEqual([4, 4]);
    await train(net);
    expect(net.params.map(({ blob }) => blob.diff[0])).toEqual([8, 8]);
    net.clearParamDiffs();
    expect(net.params.map(({ blob }) => blob.diff[0])).toEqual([0, 0]);
    await net.close();
  });

  it('leaves out what leads to no parameter that learns', async () => {
    const net = await make(chain.replace('top: "a"', 'top: "a" param { lr_mult: 0 }'));
    await train(net);
    expect(calls).toEqual(['loss', 'b']);
    expect(net.learnedParams.map(({ name }) => name)).toEqual(['b[0]']);
    await net.close();
  });

  it('leaves out what leads to no loss', async () => {
    const net = await make(`${chain} layer { name: "c" type: "Times" bottom: "a" top: "c" }`);
    await train(net);
    expect(calls).toEqual(['loss', 'b', 'a_a_0_split', 'a']);
    expect(net.learnedParams.map(({ name }) => name)).toEqual(['a[0]', 'b[0]']);
    await net.close();
  });

  it('stops where propagate_down is false', async () => {
    const net = await make(chain.replace('bottom: "a"', 'bottom: "a" propagate_down: false'));
    await train(net);
    expect(calls).toEqual(['loss', 'b']);
    await net.close();
  });

  it('reaches the inputs, but no labels, with force_backward', async () => {
    const text = `force_backward: true ${chain} layer { name: "y" type: "Input" top: "y" }
      layer { name: "other" type: "Sum" bottom: "b" bottom: "y" top: "other" }`;
    const net = await make(text);
    await train(net);
    expect([...net.blob('x').diff]).toEqual([8, 8, 8]);
    await net.close();
  });

  it('adds up several losses with their weights', async () => {
    const net = await make(`
      layer { name: "a" type: "Times" bottom: "x" top: "a" }
      layer { name: "one" type: "Sum" bottom: "a" top: "one" loss_weight: 0.5 }
      layer { name: "two" type: "Sum" bottom: "a" top: "two" loss_weight: 3 }`);
    await train(net);
    expect(net.params[0].blob.diff[0]).toBe(7);
    expect(net.loss).toBe(0.5 * 4 + 3 * 4);
    await net.close();
  });

  it('takes a loss weight on a blob that other layers read', async () => {
    const net = await make(`
      layer { name: "a" type: "Times" bottom: "x" top: "a" loss_weight: 2 }
      layer { name: "b" type: "Times" bottom: "a" top: "b" }
      layer { name: "loss" type: "Sum" bottom: "b" top: "loss" }`);
    await train(net);
    expect(net.params[0].blob.diff[0]).toBe((2 + 2) * 2);
    await net.close();
  });

  it('adds up the gradients of shared parameters in one diff', async () => {
    const net = await make(chain.replaceAll(/top: "(a|b)"/g, 'top: "$1" param { name: "w" }'));
    await train(net);
    expect(net.learnedParams.length).toBe(1);
    expect(net.params.map(({ blob }) => blob.diff[0])).toEqual([8, 8]);
    await net.close();
  });

  const inPlace = (type: string, behind = '') => `
    layer { name: "a" type: "Times" bottom: "x" top: "a" }
    layer { name: "b" type: "${type}" bottom: "a" top: "a" }
    ${behind}
    layer { name: "loss" type: "Sum" bottom: "a" top: "loss" }`;
  it.each([
    // sum(max(w x, 0)) and sum((w x)^2), differentiated by w at w = 2 for x = 1, -2, 3.
    { what: 'that reads what it wrote', text: inPlace('Rectify'), blobs: 1, slope: 4 },
    { what: 'that reads what it is given', text: inPlace('Square'), blobs: 2, slope: 2 * 2 * (1 + 4 + 9) },
    {
      what: 'behind one whose values are still needed',
      text: inPlace('Rectify', 'layer { name: "c" type: "Rectify" bottom: "a" top: "a" }'),
      blobs: 2,
      slope: 4,
    },
  ])('runs a layer in place only where nothing is lost: one $what', async ({ text, blobs, slope }) => {
    const net = await make(text);
    await train(net);
    const all = net.layers.flatMap(({ top }) => top).filter(({ name }) => name === 'a');
    expect(new Set(all).size).toBe(blobs);
    expect(net.params[0].blob.diff[0]).toBe(slope);
    await net.close();
  });

  it('lets diffs share memory where they need not stay', async () => {
    const layers = Array.from(
      { length: 6 },
      (_, i) => `layer { name: "l${i}" type: "Times" bottom: "${i ? `l${i - 1}` : 'x'}" top: "l${i}" }`,
    ).join('\n');
    const text = `${layers} layer { name: "loss" type: "Sum" bottom: "l5" top: "loss" }`;
    const [kept, shared] = await Promise.all([make(text), make(text, { keep: ['x'] })]);
    await train(kept);
    await train(shared);
    expect(shared.params.map(({ blob }) => blob.diff[0])).toEqual(
      kept.params.map(({ blob }) => blob.diff[0]),
    );
    // Six parameters and the loss; of the six activations' diffs two live at a time.
    expect(kept.memory.gradients).toBe(4 * (6 + 1 + 6 * 3));
    expect(shared.memory.gradients).toBe(4 * (6 + 1) + 2 * 64);
    await Promise.all([kept.close(), shared.close()]);
  });

  it('says what it needs', async () => {
    const plain = await make(chain, { backward: false });
    await plain.forward();
    await expect(plain.backward()).rejects.toThrow(/backward: true/);
    await plain.close();
    const net = await make(chain);
    await expect(net.backward()).rejects.toThrow(/a forward pass before it/);
    await net.forward();
    await net.backward();
    await expect(net.backward()).rejects.toThrow(/a forward pass before it/);
    await net.close();
  });
});
