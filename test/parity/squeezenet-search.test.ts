// SqueezeNet v1.0 on the reference images, given the original's integer lengths: blobs of the quantised nets
// by hash, accuracies of the mixed nets, every step of the ladders. The parts that take long run with
// RISTRETTO_SLOW=1.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { registry } from '../../lib/data/index.js';
import { Net } from '../../lib/graph/index.js';
import { Stream, ops } from '../../lib/native/index.js';
import { Blob } from '../../lib/blob/index.js';
import { clone, Phase, readNetText, readWeights, type NetParameter } from '../../lib/proto/index.js';
import { quantiseNet, quantisableType } from '../../lib/quantize/edit-net.js';
import { quantize, score } from '../../lib/quantize/index.js';
import { hasReference, reference } from './reference.js';

interface RecordedBlob {
  blob: string;
  shape: number[];
  sha256: string;
  maxAbs: number;
  samples: [number, number][];
}
interface RecordedNet {
  bwParams?: number[];
  bwIn?: number[];
  bwOut?: number[];
  top1: number;
  top5: number;
  firstImage: RecordedBlob[];
}
interface Lengths {
  layer: string;
  input: number;
  output: number;
  parameters: number;
}

const slow = process.env.RISTRETTO_SLOW === '1';
const expected = hasReference
  ? JSON.parse(readFileSync(join(reference, 'reference/squeezenet.json'), 'utf8'))
  : { nets: {}, search: {} };
const search = expected.search;
const nets: Record<string, RecordedNet> = expected.nets;
const lengths: Lengths[] = search.dynamic_fixed_point?.integerLengths ?? [];
const model = join(reference, 'data/squeezenet/train_val.prototxt');
const weightsPath = join(reference, 'data/squeezenet/squeezenet_v1.0.caffemodel');
const data = join(reference, 'data/imagenet/lmdb');
const ONE_IMAGE = 1 / (search.images ?? 1) + 1e-6;

/** The net with the widths that the reference lists layer by layer. */
function mixedNet(net: NetParameter, { bwParams, bwIn, bwOut }: RecordedNet): NetParameter {
  if (!bwParams) return net;
  return quantiseNet(net, (layer) => {
    const i = lengths.findIndex((entry) => entry.layer === layer.name);
    const { input, output, parameters } = lengths[i];
    return {
      bw_layer_in: bwIn![i],
      fl_layer_in: bwIn![i] - input,
      bw_layer_out: bwOut![i],
      fl_layer_out: bwOut![i] - output,
      bw_params: bwParams[i],
      fl_params: bwParams[i] - parameters,
    };
  });
}

function sha256(values: Float32Array): string {
  // -0 counts as 0.
  return createHash('sha256')
    .update(new Uint8Array(values.map((value) => value + 0).buffer))
    .digest('hex');
}

describe.skipIf(!hasReference)('SqueezeNet on the reference images', () => {
  let net: NetParameter;
  let weights: NetParameter;
  beforeAll(async () => {
    net = readNetText(model);
    weights = await readWeights(weightsPath);
  });

  it.each(Object.keys(nets))('%s: every blob of the first image', { timeout: 60_000 }, async (name) => {
    // A copy: the batch is cut to one image below, and the other tests share the net.
    const param = clone(mixedNet(net, nets[name]), { shareArrays: true });
    for (const layer of param.layer) if (layer.data_param) layer.data_param.batch_size = 1;
    const stream = new Stream({ threads: 2 });
    const running = await Net.create({
      param,
      phase: Phase.TEST,
      registry,
      stream,
      keep: 'all',
      dataSource: data,
    });
    await running.copyTrainedLayers(weights);
    await running.forward();
    // The original trims the input of a quantised layer in place; all consumers of a blob agree on the format.
    const consumers = new Map(
      param.layer
        .filter((layer) => layer.quantization_param)
        .map((layer) => [layer.bottom[0], layer.quantization_param!]),
    );
    const differing: string[] = [];
    // The last three blobs are means over the batch of 25 that was recorded.
    for (const recorded of nets[name].firstImage.slice(0, -3)) {
      const blob = running.blob(recorded.blob);
      const consumer = consumers.get(recorded.blob);
      let values = blob.toArray();
      if (consumer) {
        const trimmed = new Blob('trimmed', blob.shape);
        const plain = new Blob('plain', blob.shape);
        plain.set(values);
        ops.trim(stream, {
          src: plain.tensor(),
          dst: trimmed.tensor(),
          format: {
            kind: 'dynamicFixedPoint',
            bitWidth: consumer.bw_layer_in,
            fractionalLength: consumer.fl_layer_in,
          },
        });
        await stream.sync();
        values = trimmed.toArray();
      }
      if (name !== 'float') {
        if (sha256(values) !== recorded.sha256) differing.push(recorded.blob);
        continue;
      }
      for (const [index, value] of recorded.samples)
        expect(
          Math.abs(values[index] - value),
          `${recorded.blob}[${index}] is ${values[index]}, was ${value}`,
        ).toBeLessThanOrEqual(1e-4 * recorded.maxAbs);
    }
    expect(differing).toEqual([]);
    await running.close();
    stream.close();
  });

  it.skipIf(!slow).each(Object.keys(nets))(
    '%s: accuracies over all images',
    { timeout: 300_000 },
    async (name) => {
      const result = await score({ model: mixedNet(net, nets[name]), weights, iterations: 20, data });
      const mean = (output: string) => result.means[result.outputs.findIndex((o) => o.name === output)];
      expect(Math.abs(mean('accuracy_top1') - nets[name].top1)).toBeLessThanOrEqual(ONE_IMAGE);
      expect(Math.abs(mean('accuracy_top5') - nets[name].top5)).toBeLessThanOrEqual(ONE_IMAGE);
    },
  );

  it.skipIf(!slow)('the whole dynamic fixed point search', { timeout: 600_000 }, async () => {
    const want = search.dynamic_fixed_point;
    const result = await quantize({
      model,
      weights: weightsPath,
      trimmingMode: 'dynamic_fixed_point',
      iterations: 20,
      errorMargin: 3,
      data,
      integerLengths: lengths,
    });
    for (const part of ['convWeights', 'fcWeights', 'activations'] as const) {
      expect(Object.keys(result[part]!)).toEqual(Object.keys(want[part]));
      for (const [bits, value] of Object.entries<number>(want[part]))
        expect(Math.abs(result[part]![bits] - value), `${part} ${bits} bits`).toBeLessThanOrEqual(ONE_IMAGE);
    }
    expect(Math.abs(result.baseline - want.baseline)).toBeLessThanOrEqual(ONE_IMAGE);
    expect(Math.abs(result.combined - want.combined)).toBeLessThanOrEqual(ONE_IMAGE);
    expect(result.chosen).toEqual({ convWeights: 8, fcWeights: 1, activations: 8 });
  });

  it.skipIf(!slow)('minifloat, ties to even', { timeout: 300_000 }, async () => {
    const result = await quantize({
      model,
      weights: weightsPath,
      trimmingMode: 'minifloat',
      iterations: 20,
      errorMargin: 3,
      data,
      integerLengths: lengths,
      rounding: 'halfToEven',
    });
    // The original with every element trimmed. No activation here reaches the top exponent, where it differs.
    for (const [bits, value] of Object.entries<number>(search.minifloat_per_element.ladder))
      expect(Math.abs(result.ladder![bits] - value), `${bits} bits`).toBeLessThanOrEqual(ONE_IMAGE);
  });

  it('every layer that is listed is one that the search quantises', () => {
    expect(net.layer.filter(quantisableType).map(({ name }) => name)).toEqual(
      lengths.map(({ layer }) => layer),
    );
  });
});
