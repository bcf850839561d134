// Gradients by finite differences: what a layer's backward pass computes, against how its tops really move.
import { expect } from 'vitest';
import type { Blob } from '../../../lib/blob/index.js';
import { Net } from '../../../lib/graph/index.js';
import { layers } from '../../../lib/layers/index.js';
import { parseText, Phase } from '../../../lib/proto/index.js';
import { RandomWords } from '../../../lib/util/philox.js';

/** One bottom of the checked layer. */
export interface CheckedBottom {
  shape: readonly number[];
  /** Values are drawn uniformly from here; default -1 to 1. */
  range?: readonly [min: number, max: number];
  /** These values instead. */
  values?: readonly number[];
  /** No gradient is asked for: labels, indices. */
  fixed?: boolean;
}

export interface GradientCase {
  /** The layer's prototxt without name, bottoms and tops: `type: "ReLU"`. */
  layer: string;
  bottoms: readonly CheckedBottom[];
  /** Number of tops; default 1. */
  tops?: number;
  /** The top has the bottom's name. */
  inPlace?: boolean;
  /** Default TRAIN. */
  phase?: 'TRAIN' | 'TEST';
  /** Values of bottoms and parameters around which the function is not smooth: elements within two steps of one are passed over. */
  kinks?: readonly number[];
  /** Set where a parameter's kinks differ from the bottoms': the parameters have none. */
  smoothParams?: boolean;
  /** Gradients of the loss top instead of a random sum of all tops. */
  loss?: boolean;
  /** Parameters are drawn from here instead of what their fillers give. */
  paramRange?: readonly [min: number, max: number];
  step?: number;
  /** Largest difference allowed, relative to the largest gradient of the blob. Default 1e-2. */
  tolerance?: number;
}

function drawn(count: number, [min, max]: readonly [number, number], random: RandomWords): Float32Array {
  return Float32Array.from({ length: count }, () => min + (max - min) * random.uniform());
}

/**
 * Moves every element of every bottom and parameter up and down by a step and holds the change of a weighted sum
 * of the tops against the gradient. Returns how many elements were compared.
 */
export async function checkGradient(given: GradientCase): Promise<number> {
  const { bottoms, tops = 1, phase = 'TRAIN', kinks = [], step = 2 ** -7, tolerance = 1e-2 } = given;
  const names = bottoms.map((_, i) => `bottom${i}`);
  const inputs = bottoms.map(
    ({ shape }, i) =>
      `layer { name: "in${i}" type: "Input" top: "bottom${i}" input_param { shape { ${shape.map((d) => `dim: ${d}`).join(' ')} } } }`,
  );
  const topNames = given.inPlace ? ['bottom0'] : Array.from({ length: tops }, (_, i) => `top${i}`);
  const prototxt = `name: "check" ${inputs.join(' ')}
    layer { name: "layer" ${given.layer} ${names.map((name) => `bottom: "${name}"`).join(' ')}
      ${topNames.map((name) => `top: "${name}"`).join(' ')} }`;
  const net = await Net.create({
    param: parseText('NetParameter', prototxt),
    registry: layers,
    phase: Phase[phase],
    threads: 2,
    keep: 'all',
    backward: true,
    seed: 7,
  });
  try {
    const random = new RandomWords(3, 'gradient');
    const { layer, bottom, top } = net.layer('layer');
    const values = bottoms.map(({ shape, range = [-1, 1], values: own }) =>
      own
        ? Float32Array.from(own)
        : drawn(
            shape.reduce((a, b) => a * b, 1),
            range,
            random,
          ),
    );
    // The inputs' own blobs: in place, the layer's bottom is what it overwrites.
    const sources = bottoms.map((_, i) => net.layer(`in${i}`).top[0]);
    const start = layer.checkpoint();
    const statistics = layer.learnable.map(({ statistic, blob }) => (statistic ? blob : null));
    const forward = async (): Promise<void> => {
      for (const [i, blob] of sources.entries()) blob.set(values[i]);
      // A batch's statistics are added to the stored ones at every pass.
      for (const blob of statistics) blob?.set(new Float32Array(blob.count).fill(1));
      if (start) await layer.restore(start);
      await net.forward();
    };
    await forward();
    if (given.paramRange)
      for (const blob of layer.blobs) blob.set(drawn(blob.count, given.paramRange, random));
    await forward();
    const weights = top.map((blob) =>
      given.loss ? new Float32Array(blob.count).fill(1.5) : drawn(blob.count, [-1, 1], random),
    );
    const objective = async (): Promise<number> => {
      await forward();
      let sum = 0;
      for (const [t, blob] of top.entries()) {
        const tops = blob.toArray();
        for (let i = 0; i < tops.length; i++) sum += weights[t][i] * tops[i];
      }
      return sum;
    };
    for (const [t, blob] of top.entries()) blob.diff.set(weights[t]);
    const paramWanted = layer.learnable.map(({ statistic }) => !statistic);
    await layer.backward(
      {
        bottom,
        top,
        propagateDown: bottoms.map(({ fixed }) => !fixed),
        topHasDiff: top.map(() => true),
        paramWanted,
      },
      net.stream,
    );
    await net.stream.sync();

    const targets: { blob: Blob; values: Float32Array; diff: Float32Array; smooth: boolean }[] = [];
    for (const [i, { fixed }] of bottoms.entries())
      if (!fixed)
        targets.push({ blob: bottom[i], values: values[i], diff: bottom[i].diffToArray(), smooth: false });
    for (const [i, blob] of layer.blobs.entries())
      if (paramWanted[i])
        targets.push({
          blob,
          values: blob.data,
          diff: blob.diffToArray(),
          smooth: given.smoothParams ?? false,
        });

    let compared = 0;
    for (const { blob, values: moved, diff, smooth } of targets) {
      const largest = diff.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
      for (let i = 0; i < moved.length; i++) {
        const at = moved[i];
        if (!smooth && kinks.some((kink) => Math.abs(at - kink) <= 2 * step)) continue;
        const move = async (to: number) => {
          moved[i] = to;
          blob.version++;
          return objective();
        };
        const slope = ((await move(at + step)) - (await move(at - step))) / (2 * step);
        moved[i] = at;
        blob.version++;
        expect(
          Math.abs(slope - diff[i]) / largest,
          `${blob.name}[${i}] at ${at}: slope ${slope}, diff ${diff[i]}`,
        ).toBeLessThanOrEqual(tolerance);
        compared++;
      }
    }
    expect(compared, 'elements compared').toBeGreaterThan(0);
    return compared;
  } finally {
    await net.close();
  }
}
