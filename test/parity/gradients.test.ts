// Every gradient of the reference data: the original's diffs from the original's inputs, parameters and top diffs.
import { afterAll, describe, expect, it } from 'vitest';
import { Net } from '../../lib/graph/index.js';
import { layers } from '../../lib/layers/index.js';
import { Stream } from '../../lib/native/index.js';
import { parseText, Phase } from '../../lib/proto/index.js';
import { compare, folder, loadCase, names } from './layer-cases.js';
import { hasReference } from './reference.js';

const CASES_WITH_GRADIENTS = 129;

const cases = names
  .map((name) => ({ name, ...loadCase(name) }))
  .filter(({ given }) => given.blobs.some(({ role }) => role === 'top_diff'));

describe.skipIf(!hasReference)(`gradients, against ${folder}`, () => {
  const stream = new Stream({ threads: 2 });
  afterAll(() => stream.close());

  it('has every case', () => {
    expect(cases.length).toBe(CASES_WITH_GRADIENTS);
  });

  it.each(cases)('$name', async ({ given, values }) => {
    const all = (role: string) => given.blobs.filter((blob) => blob.role === role);
    const net = await Net.create({
      param: parseText('NetParameter', given.prototxt),
      registry: layers,
      phase: Phase[given.phase],
      stream,
      keep: 'all',
      backward: true,
    });
    try {
      const entry = net.layer('layer');
      const { layer, bottom, top } = entry;
      const bottomOf = ({ name }: { name: string }) => bottom[Number(name.slice('bottom'.length))];
      const param = ({ name }: { name: string }) => layer.blobs[Number(name.slice('param'.length))];
      for (const blob of all('bottom')) net.blob(blob.name).set(values(blob));
      for (const blob of all('param')) param(blob).set(values(blob));
      await net.forward();

      // What the original leaves at zero is not asked for: labels, Crop's second bottom, statistics.
      const asked = (role: string) => all(role).filter((blob) => values(blob).some((value) => value !== 0));
      const wantedBottoms = asked('bottom_diff');
      const wantedParams = asked('param_diff');
      expect(wantedBottoms.length).toBeGreaterThan(0);
      // Diffs of bottoms are overwritten, those of parameters added to. A top's may be its bottom's memory.
      for (const blob of wantedBottoms) bottomOf(blob).diff.fill(NaN);
      for (const blob of all('top_diff')) net.blob(blob.name).diff.set(values(blob));
      const before = 0.5;
      for (const blob of wantedParams) param(blob).diff.fill(before);
      await layer.backward(
        {
          bottom,
          top,
          propagateDown: bottom.map((blob) => wantedBottoms.some((wanted) => bottomOf(wanted) === blob)),
          topHasDiff: top.map(() => true),
          paramWanted: layer.blobs.map((blob) => wantedParams.some((wanted) => param(wanted) === blob)),
        },
        stream,
      );
      await stream.sync();

      for (const wanted of wantedBottoms) {
        const { relative } = compare(bottomOf(wanted).diffToArray(), values(wanted));
        expect(relative, `relative difference of ${wanted.name}'s diff`).toBeLessThanOrEqual(1e-4);
      }
      for (const wanted of wantedParams) {
        const diff = param(wanted).diffToArray();
        const { relative } = compare(
          diff.map((value) => value - before),
          values(wanted),
        );
        expect(relative, `relative difference of ${wanted.name}'s diff`).toBeLessThanOrEqual(1e-4);
      }
      for (const blob of all('bottom')) expect(net.blob(blob.name).toArray()).toEqual(values(blob));
    } finally {
      await net.close();
    }
  });
});
