// The original's solvers, every setting that is recorded: displayed losses, learning rates, parameters and histories after the run.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { registry } from '../../lib/data/index.js';
import {
  blobData,
  readNetBinary,
  readSolver,
  readSolverState,
  type BlobProto,
} from '../../lib/proto/index.js';
import { Solver, type SolverEvent } from '../../lib/solver/index.js';
import { casesIn, hasReference, reference } from './reference.js';

const folder = join(reference, 'reference/solver');
const scratch = mkdtempSync(join(tmpdir(), 'ristretto-solver-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const settings = casesIn('reference/solver', 'solver.prototxt');

/** What the original prints of a number: six significant digits. */
const printed = (value: number) => Number(value.toPrecision(6));

function largestDifference(ours: readonly BlobProto[], theirs: readonly BlobProto[]): number {
  expect(ours.length).toBe(theirs.length);
  let largest = 0;
  for (const [index, blob] of ours.entries()) {
    const [a, b] = [blobData(blob), blobData(theirs[index])];
    expect(a.length).toBe(b.length);
    a.forEach((value, i) => (largest = Math.max(largest, Math.abs(value - b[i]))));
  }
  return largest;
}

describe.skipIf(!hasReference)('solvers of the original', () => {
  for (const name of settings)
    it(name, async () => {
      const log = JSON.parse(readFileSync(join(folder, name, 'log.json'), 'utf8')) as {
        displayedLosses: number[];
        finalLoss: number[];
        learningRates: number[];
      };
      const param = readSolver(join(folder, name, 'solver.prototxt'));
      mkdirSync(join(scratch, name));
      param.snapshot_prefix = join(scratch, name, 'out');
      const events: SolverEvent[] = [];
      const solver = await Solver.create({
        param,
        registry,
        baseFolder: folder,
        threads: 2,
        weights: [join(folder, 'start.caffemodel')],
        onEvent: (event) => void events.push(event),
      });
      await solver.solve();
      await solver.close();

      const shown = events.filter((event) => event.kind === 'display');
      const losses = [...log.displayedLosses, ...log.finalLoss];
      expect(shown.map(({ loss }) => printed(loss)).length).toBe(losses.length);
      // Half a unit of the last printed digit, and one more unit for sums in another order.
      for (const [i, { loss }] of shown.entries()) expect(Math.abs(loss - losses[i])).toBeLessThan(1.5e-5);
      expect(
        events.filter((event) => event.kind === 'learningRate').map(({ rate }) => printed(rate)),
      ).toEqual(log.learningRates);

      const theirs = readNetBinary(join(folder, name, 'final.caffemodel')).layer;
      const ours = readNetBinary(`${param.snapshot_prefix}_iter_${param.max_iter}.caffemodel`).layer;
      for (const layer of theirs.filter(({ blobs }) => blobs.length > 0)) {
        const same = ours.find((candidate) => candidate.name === layer.name)!;
        expect(largestDifference(same.blobs, layer.blobs), layer.name).toBeLessThan(1e-5);
      }
      const state = readSolverState(`${param.snapshot_prefix}_iter_${param.max_iter}.solverstate`);
      const theirState = readSolverState(join(folder, name, 'final.solverstate'));
      expect(state.iter).toBe(theirState.iter);
      expect(state.current_step).toBe(theirState.current_step);
      for (const [index, blob] of theirState.history.entries()) {
        const scale = blobData(blob).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        const difference = largestDifference([state.history[index]], [blob]);
        expect(difference, `history ${index}`).toBeLessThan(1e-3 * scale);
      }
      expect(state.history.length).toBe(theirState.history.length);
    });
});
