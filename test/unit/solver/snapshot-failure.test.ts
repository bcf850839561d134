// A disk that fills up, or a process that dies, at any write of a snapshot: the one before stays whole.
import type * as NodeFs from 'node:fs';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const disk = vi.hoisted(() => ({ writesLeft: Infinity, renamesLeft: Infinity }));
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof NodeFs>();
  const full = (path: string) =>
    Object.assign(new Error(`ENOSPC: no space left, ${path}`), { code: 'ENOSPC' });
  return {
    ...fs,
    writeSync: (...args: Parameters<typeof fs.writeSync>) => {
      if (disk.writesLeft-- <= 0) throw full('write');
      return fs.writeSync(...args);
    },
    renameSync: (from: string, to: string) => {
      if (disk.renamesLeft-- <= 0) throw full('rename');
      fs.renameSync(from, to);
    },
  };
});

import { registry } from '../../../lib/data/index.js';
import { parseText, type SolverParameter } from '../../../lib/proto/index.js';
import { Solver, type SolverEvent } from '../../../lib/solver/index.js';
import { readSnapshot } from '../../../lib/solver/snapshot.js';

const prototxt = `
  net_param {
    layer { name: "data" type: "DummyData" top: "x" top: "y"
      dummy_data_param { shape { dim: 4 dim: 3 } shape { dim: 4 dim: 2 }
        data_filler { type: "gaussian" std: 1 } data_filler { type: "uniform" } } }
    layer { name: "ip" type: "InnerProduct" bottom: "x" top: "z"
      inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
    layer { name: "loss" type: "EuclideanLoss" bottom: "z" bottom: "y" top: "loss" } }
  type: "Adam" momentum: 0.9 base_lr: 0.05 lr_policy: "fixed" max_iter: 6 snapshot: 2`;

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'ristretto-snapshot-'))));
afterEach(() => {
  disk.writesLeft = disk.renamesLeft = Infinity;
  rmSync(folder, { recursive: true, force: true });
});

async function make(resume?: string): Promise<{ solver: Solver; events: SolverEvent[] }> {
  const param = parseText('SolverParameter', prototxt);
  param.snapshot_prefix = join(folder, 'net');
  const events: SolverEvent[] = [];
  const onEvent = (event: SolverEvent) => void events.push(event);
  return { solver: await Solver.create({ param, registry, threads: 1, resume, onEvent }), events };
}

function clear(): void {
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
}

const values = (solver: Solver) => solver.net.params.map(({ blob }) => blob.toArray());

/** Writes and renames that one snapshot takes. */
async function countSteps(): Promise<{ writes: number; renames: number }> {
  const { solver } = await make();
  await solver.step(1);
  Object.assign(disk, { writesLeft: 1000, renamesLeft: 1000 });
  await solver.snapshot();
  const counts = { writes: 1000 - disk.writesLeft, renames: 1000 - disk.renamesLeft };
  Object.assign(disk, { writesLeft: Infinity, renamesLeft: Infinity });
  await solver.close();
  return counts;
}

describe('a snapshot that fails midway', () => {
  it('leaves the one before, says which it is, and no rubbish', async () => {
    const { solver: whole } = await make();
    await whole.step(6);
    const { writes, renames } = await countSteps();
    expect(renames).toBe(3);
    clear();
    for (const [kind, count] of [
      ['writesLeft', writes],
      ['renamesLeft', renames],
    ] as const)
      for (let failing = 0; failing < count; failing++) {
        const { solver } = await make();
        await solver.step(2);
        disk[kind] = failing;
        const good = join(folder, 'net_iter_2.solverstate');
        await expect(solver.step(2)).rejects.toThrow(
          new RegExp(
            `net_iter_4\\.\\S+: cannot be written \\(ENOSPC\\); the last complete snapshot is ${good}$`,
          ),
        );
        disk[kind] = Infinity;
        await solver.close();
        expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
        expect(readdirSync(folder)).not.toContain('net_iter_4.solverstate');
        const { solver: resumed, events } = await make(good);
        expect(events).toEqual([]);
        await resumed.step(4);
        expect(values(resumed)).toEqual(values(whole));
        await resumed.close();
        clear();
      }
    await whole.close();
  });

  it('says that there is none where the first one fails', async () => {
    const { solver } = await make();
    disk.writesLeft = 1;
    await expect(solver.step(2)).rejects.toThrow('there is no complete snapshot of this run');
    await solver.close();
  });

  it('is told apart where it would have replaced one of the same name', async () => {
    const { solver } = await make();
    await solver.step(2);
    await solver.close();
    const { solver: other } = await make();
    for (const { blob } of other.net.params) blob.set(blob.toArray().map((value) => value + 1));
    // The side file and the model get there, the solver's state does not.
    disk.renamesLeft = 2;
    await expect(other.step(2)).rejects.toThrow('net_iter_2.solverstate');
    disk.renamesLeft = Infinity;
    await other.close();
    const state = join(folder, 'net_iter_2.solverstate');
    expect((await readSnapshot(state)).inexact).toBe(
      `${join(folder, 'net_iter_2.ristretto.json')} does not belong to ${state}`,
    );
    const { solver: resumed, events } = await make(state);
    expect(events.map(({ kind }) => kind)).toEqual(['warning']);
    expect(resumed.iteration).toBe(2);
    await resumed.close();
  });
});

describe('a snapshot that does not fit', () => {
  it('is refused with file, layer and field', async () => {
    const { solver } = await make();
    await solver.step(2);
    await solver.close();
    const state = join(folder, 'net_iter_2.solverstate');
    const side = join(folder, 'net_iter_2.ristretto.json');
    const resume = (change: (param: SolverParameter) => void) => {
      const param = parseText('SolverParameter', prototxt);
      change(param);
      return Solver.create({ param, registry, threads: 1, resume: state });
    };
    await expect(resume((param) => (param.type = 'SGD'))).rejects.toThrow(
      `${state}: history: has 4 blobs; this solver keeps 2`,
    );
    await expect(
      resume((param) => (param.net_param!.layer[0].dummy_data_param!.shape[0].dim = [4, 5])),
    ).rejects.toThrow(
      `${join(folder, 'net_iter_2.caffemodel')}: layer 'ip': blobs[0]: the weights have shape (2, 3), the net has (2, 5)`,
    );
    const content = JSON.parse(readFileSync(side, 'utf8')) as { train: object; version: number };
    writeFileSync(side, JSON.stringify({ ...content, train: { other: {} } }));
    await expect(make(state)).rejects.toThrow(`${side}: layer 'other': the net has no such layer`);
    writeFileSync(side, JSON.stringify({ ...content, version: 9 }));
    const { solver: resumed, events } = await make(state);
    expect(events).toEqual([
      { kind: 'warning', message: expect.stringContaining(`${side}: version: is version 9`) as string },
    ]);
    await resumed.close();
    rmSync(join(folder, 'net_iter_2.caffemodel'));
    await expect(make(state)).rejects.toThrow(`${state}: learned_net: names the model`);
  });
});
