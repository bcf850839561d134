// Every layer case of the reference data: the original's outputs from the original's inputs and parameters.
import { afterAll, describe, expect, it } from 'vitest';
import { Blob } from '../../lib/blob/index.js';
import { Net } from '../../lib/graph/index.js';
import { layers } from '../../lib/layers/index.js';
import type { Quantized } from '../../lib/layers/quantized.js';
import { ops, Stream } from '../../lib/native/index.js';
import { parseText, Phase } from '../../lib/proto/index.js';
import { compare, folder, loadCase, names, type CaseBlob } from './layer-cases.js';
import { hasReference } from './reference.js';

const CASES = 138;

/** Elements whose exact sum lies within two float32 ulps of a tie, where one step is allowed. */
const ties: Record<string, number> = { convolution_ristretto_minifloat_m10e5: 1 };

describe.skipIf(!hasReference)(`layers, against ${folder}`, () => {
  const stream = new Stream({ threads: 2 });
  afterAll(() => stream.close());

  it('has every case', () => {
    expect(names.length).toBe(CASES);
  });

  it.each(names)('%s', async (name) => {
    const { given, values } = loadCase(name);
    const all = (role: string) => given.blobs.filter((blob) => blob.role === role);
    const net = await Net.create({
      param: parseText('NetParameter', given.prototxt),
      registry: layers,
      phase: Phase[given.phase],
      stream,
      keep: 'all',
    });
    try {
      const { layer } = net.layer('layer');
      const param = (blob: CaseBlob) => layer.blobs[Number(blob.name.slice('param'.length))];
      expect(layer.blobs.length).toBe(all('param').length);
      for (const blob of all('bottom')) net.blob(blob.name).set(values(blob));
      for (const blob of all('param')) param(blob).set(values(blob));
      await net.forward();

      const exact = name.includes('_ristretto_');
      const check = (blob: Blob, expected: CaseBlob) => {
        // A scalar is recorded with shape (1).
        if (blob.shape.length) expect(blob.shape).toEqual(expected.shape);
        const { relative, unequal } = compare(blob.toArray(), values(expected));
        if (exact)
          expect(unequal, `elements of ${blob.name} that differ`).toBeLessThanOrEqual(ties[name] ?? 0);
        // One step at a tie is at most the last of ten mantissa bits.
        expect(relative, `relative difference of ${blob.name}`).toBeLessThanOrEqual(exact ? 2 ** -10 : 1e-5);
      };
      expect(all('top').length).toBeGreaterThan(0);
      for (const top of all('top')) check(net.blob(top.name), top);
      for (const blob of all('param_after')) check(param(blob), blob);
      for (const blob of all('bottom')) expect(net.blob(blob.name).toArray()).toEqual(values(blob));
      for (const after of all('bottom_after')) {
        // The original trims a quantised layer's input where it lies; here the layer trims what it reads.
        const { input } = (layer as Quantized).formats;
        const trimmed = new Blob(after.name, after.shape);
        ops.trim(stream, { src: net.blob(after.name).tensor(), dst: trimmed.tensor(), format: input! });
        await stream.sync();
        expect(compare(trimmed.data, values(after)).unequal).toBe(0);
      }
    } finally {
      await net.close();
    }
  });
});
