// Four iterations of SqueezeNet, as the original trained it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { registry } from '../../lib/data/index.js';
import { clear, parseText, readNetText, upgradeSolver } from '../../lib/proto/index.js';
import { Solver } from '../../lib/solver/index.js';
import { hasReference, reference } from './reference.js';

describe.skipIf(!hasReference)('SqueezeNet', () => {
  it('is trained as the original trained it', async () => {
    const expected = JSON.parse(
      readFileSync(join(reference, 'reference/squeezenet_training.json'), 'utf8'),
    ) as {
      solver: string;
      losses: number[];
      params: { layer: string; blob: number; samples: [index: number, before: number, after: number][] }[];
    };
    const param = upgradeSolver(parseText('SolverParameter', expected.solver));
    const net = readNetText(join(reference, 'data/squeezenet/train_deterministic.prototxt'));
    for (const { data_param } of net.layer)
      if (data_param) data_param.source = join(reference, 'data/imagenet/lmdb');
    clear(param, 'net');
    param.net_param = net;
    param.snapshot_after_train = false;
    param.snapshot = 0;
    const losses: number[] = [];
    const solver = await Solver.create({
      param,
      registry,
      threads: 2,
      // The same sums on every machine. Adam makes whole steps of gradients that are all but zero, so that the
      // losses from the third on depend on the last bits of every kernel.
      isa: 'portable',
      weights: [join(reference, 'data/squeezenet/squeezenet_v1.0.caffemodel')],
      onEvent: (event) => void (event.kind === 'display' && losses.push(event.loss)),
    });
    const blobOf = ({ layer, blob }: { layer: string; blob: number }) =>
      solver.net.layer(layer).layer.blobs[blob];
    for (const entry of expected.params)
      for (const [index, before] of entry.samples) expect(blobOf(entry).data[index]).toBe(before);
    await solver.solve();
    for (const [i, tolerance] of [5e-4, 5e-4, 5e-4, 1e-3, 5e-3].entries())
      expect(Math.abs(losses[i] - expected.losses[i]), `loss ${i}`).toBeLessThan(tolerance);
    for (const entry of expected.params)
      for (const [index, , after] of entry.samples)
        expect(Math.abs(blobOf(entry).data[index] - after), `${entry.layer} ${index}`).toBeLessThan(1e-4);
    await solver.close();
  }, 300_000);
});
