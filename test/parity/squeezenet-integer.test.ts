// The integer engine on the original's SqueezeNet: every blob of the first image by the original's hash, and every step
// of a few images against the float simulation.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { Blob } from '../../lib/blob/index.js';
import { registry } from '../../lib/data/index.js';
import { compareWithSimulation, IntegerNet, type IntegerNetOptions } from '../../lib/engine/index.js';
import { Quantized } from '../../lib/layers/quantized.js';
import { ops } from '../../lib/native/index.js';
import { Phase, readNetText, readWeights, type NetParameter } from '../../lib/proto/index.js';
import { quantiseNet } from '../../lib/quantize/edit-net.js';
import { hasReference, reference } from './reference.js';

interface RecordedNet {
  bwParams?: number[];
  bwIn: number[];
  bwOut: number[];
  firstImage: { blob: string; sha256: string }[];
}

const expected = hasReference
  ? JSON.parse(readFileSync(join(reference, 'reference/squeezenet.json'), 'utf8'))
  : { nets: {}, search: {} };
const nets = Object.entries<RecordedNet>(expected.nets).filter(([, net]) => net.bwParams);
const lengths: { layer: string; input: number; output: number; parameters: number }[] =
  expected.search.dynamic_fixed_point?.integerLengths ?? [];

describe.skipIf(!hasReference)('SqueezeNet on integer codes', () => {
  let float: NetParameter;
  let weights: NetParameter;
  beforeAll(async () => {
    float = readNetText(join(reference, 'data/squeezenet/train_val.prototxt'));
    weights = await readWeights(join(reference, 'data/squeezenet/squeezenet_v1.0.caffemodel'));
  });

  /** The net with the widths that the reference lists layer by layer, an image at a time. */
  async function mixedNet(
    { bwParams, bwIn, bwOut }: RecordedNet,
    options: Partial<IntegerNetOptions>,
  ): Promise<IntegerNet> {
    const param = quantiseNet(float, (layer) => {
      const i = lengths.findIndex((entry) => entry.layer === layer.name);
      const { input, output, parameters } = lengths[i];
      return {
        bw_layer_in: bwIn[i],
        fl_layer_in: bwIn[i] - input,
        bw_layer_out: bwOut[i],
        fl_layer_out: bwOut[i] - output,
        bw_params: bwParams![i],
        fl_params: bwParams![i] - parameters,
      };
    });
    for (const layer of param.layer)
      if (layer.data_param) layer.data_param = Object.assign(layer.data_param, { batch_size: 1 });
    const net = await IntegerNet.create({
      param,
      phase: Phase.TEST,
      registry,
      threads: 2,
      strict: true,
      dataSource: join(reference, 'data/imagenet/lmdb'),
      ...options,
    });
    await net.copyTrainedLayers(weights);
    return net;
  }

  /** As the original leaves a blob: it trims the input of a quantised layer in place. */
  async function trimmed(net: IntegerNet, name: string): Promise<Float32Array> {
    const blob = new Blob(name, net.blob(name).shape);
    blob.set(net.blob(name).toArray());
    const reader = net.layers.find(
      ({ layer, bottom }) => layer instanceof Quantized && bottom[0].owner === net.blob(name).owner,
    );
    if (reader)
      ops.trim(net.stream, {
        src: blob.tensor(),
        dst: blob.tensor(),
        format: (reader.layer as Quantized).formats.input!,
      });
    await net.stream.sync();
    return blob.data.map((value) => value + 0);
  }

  it.each(nets)('%s: every blob of the first image', { timeout: 60_000 }, async (_, recorded) => {
    // The last three blobs are means over the batch of 25 that was recorded.
    const blobs = recorded.firstImage.slice(0, -3);
    const net = await mixedNet(recorded, { keep: blobs.map(({ blob }) => blob) });
    await net.forward();
    const differing: string[] = [];
    for (const { blob, sha256 } of blobs) {
      const { buffer } = await trimmed(net, blob);
      if (createHash('sha256').update(new Uint8Array(buffer)).digest('hex') !== sha256) differing.push(blob);
    }
    expect(differing).toEqual([]);
    await net.close();
  });

  it.each(nets)('%s: every step of three images', { timeout: 120_000 }, async (_, recorded) => {
    const net = await mixedNet(recorded, { retain: true });
    for (let image = 0; image < 3; image++) {
      await net.forward();
      const rows = await compareWithSimulation(net);
      expect(rows.length).toBeGreaterThan(30);
      expect(rows.reduce((sum, { codes }) => sum + codes, 0)).toBeGreaterThan(5e6);
      // What float32 could not sum is the definition's; nothing else may differ.
      expect(rows.filter(({ bugs }) => bugs > 0)).toEqual([]);
    }
    await net.close();
  });
});
