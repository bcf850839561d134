import { describe, expect, it } from 'vitest';
import { Blob } from '../../../lib/blob/index.js';
import { registry } from '../../../lib/data/index.js';
import { Net } from '../../../lib/graph/index.js';
import type { Quantized } from '../../../lib/layers/quantized.js';
import { Stream } from '../../../lib/native/index.js';
import { parseText, Phase } from '../../../lib/proto/index.js';
import { forward, makeLayer, run, type Given } from './run-layer.js';

const fc = (quantization: string) =>
  `inner_product_param { num_output: 1 } quantization_param { ${quantization} }`;
const fixed = 'bw_layer_in: 4 fl_layer_in: 1 bw_layer_out: 6 fl_layer_out: 1 bw_params: 4 fl_params: 2';
const input: Given = { shape: [2, 2], values: [0.75, 9, -0.75, 0.3] };

async function quantizedFc(quantization: string, weights: number[], bias: number, context = {}) {
  const made = await makeLayer('FcRistretto', fc(quantization), [input], context);
  made.layer.blobs[0].set(weights);
  made.layer.blobs[1].set([bias]);
  return made;
}

describe('a quantised layer', () => {
  it('trims input, weights, bias and output, ties away from zero', async () => {
    // input: 1, 3.5 (saturated), -1, 0.5; weights: 0.75, -2 (saturated); bias 0.25
    const made = await quantizedFc(fixed, [0.7, -9], 0.3);
    expect(await forward(made)).toEqual([[0.75 - 7 + 0.25, -0.75 - 1 + 0.25]]);
  });

  it('leaves its bottom and its parameters as they are', async () => {
    const made = await quantizedFc(fixed, [0.7, -9], 0.3);
    await forward(made);
    expect([...made.bottom[0].data]).toEqual([...Float32Array.from(input.values as number[])]);
    expect(made.layer.blobs.flatMap((blob) => [...blob.data])).toEqual([...Float32Array.of(0.7, -9, 0.3)]);
  });

  it('trims anew when weights change, and only then', async () => {
    const stream = new Stream({ threads: 1, profile: true });
    const made = await quantizedFc(fixed, [0.7, -9], 0.3);
    const first = await forward(made, stream);
    await forward(made, stream);
    const trims = () => stream.profile().find(({ op }) => op === 'trim')!.calls;
    expect(trims()).toBe(2);
    made.layer.blobs[0].set([0.25, 0]);
    expect(await forward(made, stream)).not.toEqual(first);
    expect(trims()).toBe(3);
  });

  it('rounds parameters to nearest in TRAIN where asked to, and trims them once', async () => {
    const stream = new Stream({ threads: 1, profile: true });
    const made = await quantizedFc(fixed, [0.7, -9], 0.3, { phase: Phase.TRAIN, trainNearest: true });
    const [first] = await forward(made, stream);
    expect(first[0]).toBeCloseTo(0.75 * 0.75 - 2 * 9 + 0.25, 6);
    expect(first[1]).toBeCloseTo(0.75 * -0.75 - 2 * 0.3 + 0.25, 6);
    expect(await forward(made, stream)).toEqual([first]);
    expect(stream.profile().find(({ op }) => op === 'trim')!.calls).toBe(2);
  });

  it('follows a parameter that shares another blob’s memory', async () => {
    const made = await quantizedFc(fixed, [0, 0], 0);
    const shared = new Blob('shared', [1, 2]);
    made.layer.blobs[0].shareData(shared);
    shared.set([1, 1]);
    const [first] = await forward(made);
    shared.set([-1, -1]);
    const [second] = await forward(made);
    expect(second).toEqual(first.map((x) => -x));
  });

  it('rounds ties as the context says', async () => {
    const text = fc('bw_layer_in: 8 fl_layer_in: 0 bw_params: 8 fl_params: 2');
    const values = async (rounding?: 'halfToEven') => {
      const made = await makeLayer('FcRistretto', text, [{ shape: [1, 2], values: [0.5, 2.5] }], {
        rounding,
      });
      made.layer.blobs[0].set([1, 10]);
      return (await forward(made))[0];
    };
    expect(await values()).toEqual([1 + 30]);
    expect(await values('halfToEven')).toEqual([0 + 20]);
  });

  it('saturates at +-32768 where fields are unset', async () => {
    const made = await makeLayer('FcRistretto', fc(''), [{ shape: [1, 1], values: [1e6] }]);
    made.layer.blobs[0].set([1]);
    const [[value]] = await forward(made);
    expect(value).toBe(32768);
  });

  it('keeps the bias and fixes the activations with weights that are powers of two', async () => {
    const made = await quantizedFc(
      'precision: INTEGER_POWER_OF_2_WEIGHTS exp_min: -2 exp_max: 1 bw_layer_in: 8 fl_layer_in: 2 bw_layer_out: 16 fl_layer_out: 8',
      [0, 3],
      0.0625,
    );
    // Weights 2^-2 (zero has the least exponent) and 2; inputs 0.75, 9, -0.75, 0.25.
    expect(await forward(made)).toEqual([[0.1875 + 18 + 0.0625, -0.1875 + 0.5 + 0.0625]]);
  });

  it('names the layer where a value is NaN, and recovers', async () => {
    const stream = new Stream({ threads: 1 });
    const made = await quantizedFc(fixed, [0.7, NaN], 0.3);
    await expect(forward(made, stream)).rejects.toThrow(/^layer 'it': .*NaN/);
    made.layer.blobs[0].set([0.7, -9]);
    made.bottom[0].set([NaN, 0, 0, 0]);
    await expect(forward(made, stream)).rejects.toThrow(/^layer 'it': .*NaN/);
    made.bottom[0].set(input.values as number[]);
    expect(await forward(made, stream)).toEqual([[-6, -1.5]]);
  });

  it('fuses a ReLU behind its output trim', async () => {
    const made = await quantizedFc(fixed, [0.7, -9], 0.3);
    expect(made.layer.fuseRelu()).toBe(true);
    expect(await forward(made)).toEqual([[0, 0]]);
  });
});

describe('stochastic rounding', () => {
  const many: Given = { shape: [1, 400], values: (i) => (i % 2 ? 0.25 : 0.75) };
  const layerText = (scheme: string) =>
    `inner_product_param { num_output: 3 } quantization_param { bw_layer_in: 8 fl_layer_in: 0 bw_params: 8 fl_params: 0 bw_layer_out: 32 fl_layer_out: 4 ${scheme} }`;
  const make = async (phase: Phase, seed: number, scheme = '') => {
    const made = await makeLayer('FcRistretto', layerText(scheme), [many], { phase, seed });
    made.layer.blobs[0].set(Array.from({ length: 1200 }, (_, i) => 0.5 + (i % 3)));
    return made;
  };

  it('in TRAIN draws parameters anew at each pass, the same for the same seed, and leaves activations', async () => {
    const made = await make(Phase.TRAIN, 7);
    const first = await forward(made);
    const second = await forward(made);
    expect(second).not.toEqual(first);
    expect((made.layer as Quantized).trainingForwards).toBe(2);
    const again = await make(Phase.TRAIN, 7);
    expect([await forward(again), await forward(again)]).toEqual([first, second]);
    expect(await forward(await make(Phase.TRAIN, 8))).not.toEqual(first);
    // Untrimmed inputs are quarters: were they trimmed to whole numbers, so would the sums be.
    expect(first[0].some((x) => x % 1 !== 0)).toBe(true);
  });

  it('in TEST depends on the images seen, not on how they are batched', async () => {
    const text = layerText('rounding_scheme: STOCHASTIC');
    const images = (n: number, from: number): Given => ({
      shape: [n, 400],
      values: (i) => ((i + from * 400) % 7) / 7,
    });
    const whole = await makeLayer('FcRistretto', text, [images(4, 0)]);
    const halves = await makeLayer('FcRistretto', text, [images(2, 0)]);
    for (const { layer } of [whole, halves])
      layer.blobs[0].set(Array.from({ length: 1200 }, (_, i) => (i % 5) / 5));
    const [expected] = await forward(whole);
    const [first] = await forward(halves);
    halves.bottom[0].set(Array.from({ length: 800 }, (_, i) => ((i + 800) % 7) / 7));
    const [second] = await forward(halves);
    expect([...first, ...second]).toEqual(expected);
    expect(new Set(expected).size).toBeGreaterThan(2);
  });
});

type Made = Awaited<ReturnType<typeof makeLayer>>;

/** Diffs of the bottoms and of the parameters, from ones at the top where nothing else is given. */
async function backward(
  { layer, bottom, top }: Made,
  topDiff = (_index: number) => 1,
): Promise<{ bottom: number[]; params: number[][] }> {
  const stream = new Stream({ threads: 1 });
  for (const blob of top) for (let i = 0; i < blob.count; i++) blob.diff[i] = topDiff(i);
  for (const blob of layer.blobs) blob.diff.fill(0);
  await layer.backward(
    {
      bottom,
      top,
      propagateDown: bottom.map(() => true),
      topHasDiff: top.map(() => true),
      paramWanted: layer.blobs.map(() => true),
    },
    stream,
  );
  await stream.sync();
  return {
    bottom: bottom.flatMap((blob) => [...blob.diff]),
    params: layer.blobs.map((blob) => [...blob.diff]),
  };
}

describe('the backward pass of a quantised layer', () => {
  it('in TEST uses the trimmed input and the trimmed weights, and passes the trims straight through', async () => {
    const made = await quantizedFc(fixed, [0.7, -9], 0.3);
    await forward(made);
    // Saturated values have gradients like any other.
    expect(await backward(made)).toEqual({ bottom: [0.75, -2, 0.75, -2], params: [[1 - 1, 3.5 + 0.5], [2]] });
    expect([...made.bottom[0].data]).toEqual([...Float32Array.from(input.values as number[])]);
  });

  it('uses the words of the last forward pass, of each bottom its own', async () => {
    const text = `convolution_param { num_output: 1 kernel_size: 1 bias_term: false } quantization_param { bw_layer_in: 8
      fl_layer_in: 0 bw_params: 8 fl_params: 0 bw_layer_out: 32 fl_layer_out: 4 rounding_scheme: STOCHASTIC }`;
    const one: Given = { shape: [2, 1, 10, 10], values: (i) => (i % 7) / 7 };
    const made = await makeLayer('ConvolutionRistretto', text, [one, one], { tops: 2 });
    made.layer.blobs[0].set([1]);
    const before = await forward(made);
    const tops = await forward(made);
    expect(tops).not.toEqual(before);
    expect(tops[0]).not.toEqual(tops[1]);
    // With a weight of 1 the trimmed inputs are the tops, and their sum is the weight's gradient.
    const sum = tops.flat().reduce((a, b) => a + b, 0);
    expect((await backward(made)).params).toEqual([[sum]]);
  });

  it('in TRAIN uses the weights that the last forward pass drew, and the input as it is', async () => {
    const text = 'inner_product_param { num_output: 1 } quantization_param { bw_params: 8 fl_params: 0 }';
    const unit = (at: number): Given => ({ shape: [1, 50], values: (i) => (i === at ? 1 : 0) });
    const made = await makeLayer('FcRistretto', text, [{ shape: [1, 50], values: () => 0.3 }], {
      phase: Phase.TRAIN,
    });
    made.layer.blobs[0].set(new Float32Array(50).fill(0.5));
    await forward(made);
    const first = await backward(made);
    await forward(made);
    const second = await backward(made);
    expect(first.bottom.every((x) => x === 0 || x === 1)).toBe(true);
    expect(new Set(first.bottom).size).toBe(2);
    expect(second.bottom).not.toEqual(first.bottom);
    expect(first.params[0]).toEqual(new Array(50).fill(Math.fround(0.3)));
    // The values that a forward pass at the same step computes with: one input at a time shows one weight.
    for (const at of [0, 1, 2, 3, 4, 5]) {
      const probe = await makeLayer('FcRistretto', text, [unit(at)], { phase: Phase.TRAIN });
      probe.layer.blobs[0].set(new Float32Array(50).fill(0.5));
      await forward(probe);
      expect((await forward(probe))[0]).toEqual([second.bottom[at]]);
    }
  });

  it('goes on from a checkpoint with the same words', async () => {
    const text =
      'inner_product_param { num_output: 3 } quantization_param { bw_params: 8 fl_params: 0 bw_layer_in: 8 fl_layer_in: 0 rounding_scheme: STOCHASTIC }';
    for (const phase of [Phase.TRAIN, Phase.TEST]) {
      const make = async () => {
        const made = await makeLayer('FcRistretto', text, [{ shape: [2, 40], values: (i) => (i % 9) / 9 }], {
          phase,
        });
        made.layer.blobs[0].set(Array.from({ length: 120 }, (_, i) => (i % 5) / 5));
        return made;
      };
      const made = await make();
      await forward(made);
      await forward(made);
      const saved = JSON.parse(JSON.stringify(made.layer.checkpoint())) as Record<string, unknown>;
      const next = await forward(made);
      const resumed = await make();
      await resumed.layer.restore(saved);
      expect(resumed.layer.checkpoint()).toEqual(saved);
      expect(await forward(resumed)).toEqual(next);
      expect(await forward(await make())).not.toEqual(next);
    }
  });

  it('refuses a checkpoint that is not its own', async () => {
    const { layer } = await quantizedFc(fixed, [1, 1], 0);
    for (const wrong of [{}, { trainingForwards: 1 }, { trainingForwards: -1, imagesSeen: 0 }])
      expect(() => layer.restore(wrong)).toThrow(/checkpoint/);
  });
});

describe('activations trimmed in TRAIN', () => {
  const train = { phase: Phase.TRAIN, trainActivations: true };
  /** Weights and biases that every format below has: what rounds stochastically does not move. */
  const weights = [0.5, -1, 0.25, 1.5, 0, -0.75];
  const biases = [0.25, -0.5];
  const images = 12;
  /** From -4.4 to 4.4, some of them ties and some outside of the formats' ranges by less than a rounding. */
  const x = Float32Array.from({ length: 3 * images }, (_, i) => (((i * 7) % 36) - 18) / 4.125);
  x.set([3.5, 3.625, -4, -4.125, 0.25, -0.25]);
  const dy = (i: number) => ((i * 5) % 7) - 2.5;

  /** Trims to the nearest, away from zero, between two ends. */
  const fixedPoint = (bitWidth: number, fractionalLength: number) => {
    const unit = 2 ** -fractionalLength;
    const [least, greatest] = [-(2 ** (bitWidth - 1)), 2 ** (bitWidth - 1) - 1].map((code) => code * unit);
    const trim = (value: number) => {
      const code = Math.sign(value) * Math.floor(Math.abs(value) / unit + 0.5);
      return Math.min(Math.max(code * unit, least), greatest) + 0;
    };
    return { least, greatest, trim };
  };
  /** One mantissa bit, two exponent bits: magnitudes 0, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6. */
  const float = {
    least: -6,
    greatest: 6,
    trim: (value: number) => {
      const magnitude = Math.abs(value);
      if (magnitude < 0.5) return 0;
      const unit = 2 ** (Math.floor(Math.log2(magnitude)) - 1);
      return Math.sign(value) * Math.min(Math.floor(magnitude / unit + 0.5) * unit, 6);
    },
  };
  const cases = [
    {
      text: 'bw_layer_in: 4 fl_layer_in: 1 bw_layer_out: 5 fl_layer_out: 2 bw_params: 8 fl_params: 2',
      input: fixedPoint(4, 1),
      output: fixedPoint(5, 2),
      factor: 1,
    },
    {
      text: 'precision: INTEGER_POWER_OF_2_WEIGHTS bw_layer_in: 3 fl_layer_in: 0 bw_layer_out: 4 fl_layer_out: 1',
      input: fixedPoint(3, 0),
      output: fixedPoint(4, 1),
      factor: 1,
    },
    { text: 'precision: MINIFLOAT mant_bits: 1 exp_bits: 2', input: float, output: float, factor: 2 },
  ];

  for (const { text, input, output, factor } of cases) {
    it(`gives what a plain computation gives: ${text}`, async () => {
      const power = text.includes('POWER');
      // Powers of two where the weights must be, else numbers that each format has.
      const w = power
        ? [0.5, -1, 0.25, 2, -0.125, -0.5]
        : text.includes('MINI')
          ? [0.5, -1, 1, 1.5, 0, -0.75]
          : weights;
      const b = power || factor === 1 ? biases : [0.5, -0.5];
      const layerText = `inner_product_param { num_output: 2 } quantization_param { ${text} ${power ? 'exp_min: -4 exp_max: 1' : ''} }`;
      const values = x.map((value) => value * factor);
      const made = await makeLayer('FcRistretto', layerText, [{ shape: [images, 3], values }], train);
      made.layer.blobs[0].set(w);
      made.layer.blobs[1].set(b);

      const expected = {
        y: [] as number[],
        dx: [] as number[],
        dw: new Array<number>(6).fill(0),
        db: [0, 0],
      };
      const stopped = { inputs: 0, outputs: 0 };
      for (let n = 0; n < images; n++) {
        const given = [...values.subarray(3 * n, 3 * n + 3)];
        const read = given.map(input.trim);
        const dx = [0, 0, 0];
        for (let k = 0; k < 2; k++) {
          const y = output.trim(b[k] + read.reduce((sum, value, c) => sum + value * w[3 * k + c], 0));
          expected.y.push(y);
          if (y <= output.least || y >= output.greatest) {
            stopped.outputs++;
            continue;
          }
          const d = dy(2 * n + k);
          expected.db[k] += d;
          for (let c = 0; c < 3; c++) {
            expected.dw[3 * k + c] += d * read[c];
            dx[c] += d * w[3 * k + c];
          }
        }
        for (let c = 0; c < 3; c++) {
          const inside = given[c] >= input.least && given[c] <= input.greatest;
          if (!inside) stopped.inputs++;
          expected.dx.push(inside ? dx[c] : 0);
        }
      }
      // Something is stopped on both sides, and most is not.
      for (const count of Object.values(stopped)) {
        expect(count).toBeGreaterThan(2);
        expect(count).toBeLessThan(18);
      }
      expect(await forward(made)).toEqual([expected.y]);
      const diffs = await backward(made, dy);
      expect(diffs.bottom.map((d) => d + 0)).toEqual(expected.dx.map((d) => d + 0));
      expect(diffs.params).toEqual([expected.dw, expected.db]);
      expect([...made.bottom[0].data]).toEqual([...values]);
    });
  }

  it('treats every bottom and top of a layer', async () => {
    const text = `convolution_param { num_output: 1 kernel_size: 1 bias_term: false }
      quantization_param { bw_layer_in: 3 fl_layer_in: 0 bw_layer_out: 4 fl_layer_out: 0 bw_params: 8 fl_params: 0 }`;
    const bottoms: Given[] = [
      { shape: [1, 1, 1, 4], values: [0, 3.25, -4, 2] },
      { shape: [1, 1, 1, 4], values: [-4.5, 1, 3, -2] },
    ];
    const made = await makeLayer('ConvolutionRistretto', text, bottoms, { tops: 2, ...train });
    made.layer.blobs[0].set([3]);
    // Inputs saturate at -4 and 3, outputs at -8 and 7.
    expect(await forward(made)).toEqual([
      [0, 7, -8, 6],
      [-8, 3, 7, -6],
    ]);
    expect(await backward(made)).toEqual({ bottom: [3, 0, 0, 3, 0, 3, 0, 3], params: [[0 + 2 + 1 - 2]] });
  });

  it('is off where the context does not ask, and there gradients pass', async () => {
    const made = await quantizedFc(fixed, [0.75, -2], 0.25, { phase: Phase.TRAIN });
    await forward(made);
    expect((await backward(made)).bottom).toEqual([0.75, -2, 0.75, -2]);
    expect(made.layer.backwardReads.top).toBe(false);
  });

  it('counts its images, also where the activations are rounded stochastically', async () => {
    const text = fc('bw_layer_in: 8 fl_layer_in: 0 bw_params: 8 fl_params: 0 rounding_scheme: STOCHASTIC');
    const make = async () => {
      const made = await makeLayer('FcRistretto', text, [{ shape: [2, 50], values: () => 0.5 }], train);
      made.layer.blobs[0].set(new Float32Array(50).fill(1));
      return made;
    };
    const made = await make();
    const first = await forward(made);
    expect(made.layer.checkpoint()).toEqual({ trainingForwards: 1, imagesSeen: 2 });
    const second = await forward(made);
    expect(second).not.toEqual(first);
    const resumed = await make();
    await resumed.layer.restore({ trainingForwards: 1, imagesSeen: 2 });
    expect(await forward(resumed)).toEqual(second);
    // What was drawn for the input is what the weights' gradient reads: with weights of 1 they sum up to the tops.
    const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
    expect(sum((await backward(made)).params[0])).toBe(sum(second[0]));
  });

  describe('in a net', () => {
    const layer = (name: string, type: string, bottoms: string, top: string, more = '') =>
      `layer { name: "${name}" type: "${type}" ${bottoms
        .split(' ')
        .map((bottom) => `bottom: "${bottom}"`)
        .join(' ')} top: "${top}" ${more} }`;
    const conv = (name: string, bottom: string, top: string) =>
      layer(
        name,
        'ConvolutionRistretto',
        bottom,
        top,
        `convolution_param { num_output: 3 kernel_size: 1 weight_filler { type: "gaussian" std: 0.7 } }
         quantization_param { bw_layer_in: 4 fl_layer_in: 2 bw_layer_out: 5 fl_layer_out: 3 bw_params: 6 fl_params: 4 }`,
      );
    const ends = (body: string, shape = 'dim: 3 dim: 3 dim: 4 dim: 4') => `force_backward: true
      layer { name: "in" type: "Input" top: "x" top: "label" input_param { shape { ${shape} } shape { ${shape} } } }
      ${body} ${layer('loss', 'EuclideanLoss', 'z label', 'l')}`;

    async function gradients(text: string, keep: 'all' | 'outputs', trainActivations = true) {
      const net = await Net.create({
        param: parseText('NetParameter', text),
        registry,
        phase: Phase.TRAIN,
        backward: true,
        trainActivations,
        threads: 1,
        seed: 3,
        keep,
      });
      for (const blob of net.sourceTops.values())
        blob.set(Array.from({ length: blob.count }, (_, i) => ((i * 37) % 64) / 20 - 1.6));
      await net.forward();
      net.clearParamDiffs();
      await net.backward();
      const found = { loss: net.loss, params: net.learnedParams.map(({ blob }) => [...blob.diffToArray()]) };
      await net.close();
      return found;
    }

    it('lets a layer behind it work in place, with the same gradients', async () => {
      for (const [type, more] of [
        ['ReLU', ''],
        ['ReLU', 'relu_param { negative_slope: 0.5 }'],
        ['Power', 'power_param { scale: 0.5 shift: 2 }'],
        ['Dropout', ''],
      ]) {
        const text = (top: string) =>
          ends(
            conv('c0', 'x', 'a') +
              conv('c1', 'a', 'b') +
              layer('f', type, 'b', top, more) +
              conv('c2', top, 'z'),
          );
        const apart = await gradients(text('other'), 'all');
        for (const keep of ['all', 'outputs'] as const)
          expect(await gradients(text('b'), keep), `${type} ${more}`).toEqual(apart);
        expect((await gradients(text('b'), 'outputs', false)).params).not.toEqual(apart.params);
      }
    });

    it('lies inside of a Concat, with the same gradients', async () => {
      const body = (behind: string) =>
        ends(
          conv('c0', 'x', 'a') +
            conv('c1', 'a', 'b1') +
            conv('c2', 'a', 'b2') +
            layer('join', 'Concat', 'b1 b2', 'b') +
            behind +
            conv('c3', 'b', 'z'),
        );
      for (const behind of ['', layer('f', 'Power', 'b', 'b', 'power_param { scale: 0.5 shift: 2 }')])
        expect(await gradients(body(behind), 'outputs')).toEqual(await gradients(body(behind), 'all'));
    });
  });
});

it('LRNRistretto trims every step', async () => {
  const text =
    'lrn_param { local_size: 3 alpha: 3 beta: 1 k: 1 } quantization_param { precision: MINIFLOAT mant_bits: 2 exp_bits: 5 }';
  const [out] = await run('LRNRistretto', text, [{ shape: [1, 3, 1, 1], values: [1.1, 3.1, 0.9] }]);
  // Inputs 1, 3, 0.875; squares 1, 8 (9: a tie, to even), 0.75. Sums: 1, 1 + 8 = 8 (9), 8 + 0.75 = 8 (8.75).
  // Scales 1 + s: 8 (9), 8 (9), and 8 - 1 = 7: 8. Powers 0.125. Products 0.125, 0.375, 0.109375 (0.109375).
  expect(out).toEqual([0.125, 0.375, 0.109375]);
});
