// The whole of `ristretto quantize` on a small net for which it is deterministic: the same ladders, the same
// choices, the same prototxt as the original's.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { equals, parseText, printText } from '../../lib/proto/index.js';
import { quantize, score, type QuantizeEvent, type QuantizeOptions } from '../../lib/quantize/index.js';
import { hasReference, reference } from './reference.js';

const folder = join(reference, 'reference/small');
const expected = hasReference ? JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) : null;
let output: string;
beforeAll(() => {
  output = mkdtempSync(join(tmpdir(), 'small-'));
});
afterAll(() => rmSync(output, { recursive: true, force: true }));

const options = (trimmingMode: QuantizeOptions['trimmingMode'], more: Partial<QuantizeOptions> = {}) => ({
  model: join(folder, 'net.prototxt'),
  weights: join(folder, 'trained.caffemodel'),
  modelQuantized: join(output, `${trimmingMode}.prototxt`),
  trimmingMode,
  iterations: 2,
  errorMargin: 3,
  data: join(reference, 'reference/solver/small64_lmdb'),
  ...more,
});

/** Scores are 64ths, which float32 holds exactly. */
const exactly = (scores: Record<string, number>) =>
  Object.fromEntries(Object.entries(scores).map(([bits, value]) => [bits, Math.fround(value)]));

function expectSamePrototxt(mode: string): void {
  const ours = readFileSync(join(output, `${mode}.prototxt`), 'utf8');
  const original = readFileSync(join(folder, `out_${mode}.prototxt`), 'utf8');
  expect(equals(parseText('NetParameter', ours), parseText('NetParameter', original))).toBe(true);
  expect(ours).toBe(original);
}

describe.skipIf(!hasReference)('the small net, quantised end to end', () => {
  it('dynamic_fixed_point: ladders, choices, combined score, prototxt, events', async () => {
    const events: QuantizeEvent[] = [];
    const result = await quantize(options('dynamic_fixed_point', { onEvent: (event) => events.push(event) }));
    const want = expected.dynamic_fixed_point;
    expect(result.integerLengths).toEqual(expected.integerLengths);
    expect(result.baseline).toBe(want.baseline);
    expect(result.convWeights).toEqual(exactly(want.convWeights));
    expect(result.fcWeights).toEqual(exactly(want.fcWeights));
    expect(result.activations).toEqual(exactly(want.activations));
    expect(result.chosen).toEqual({
      convWeights: want.chosenConvWeights,
      fcWeights: want.chosenFcWeights,
      activations: want.chosenActivations,
    });
    expect(result.combined).toBe(Math.fround(want.combined));
    expect(result.withinMargin).toBe(false);
    expect(result.scoredOutput).toBe('accuracy');
    expect(result.warnings.filter((text) => text.includes('16 bits are too few'))).toHaveLength(2);
    expectSamePrototxt('dynamic_fixed_point');
    const rounds = events.filter((event) => event.kind === 'round');
    expect(rounds.map(({ evaluations }) => evaluations.length)).toEqual([1, 4, 1, 1, 1, 1]);
    expect(result.layers.map(({ layer }) => layer)).toEqual(
      expected.integerLengths.map(({ layer }: { layer: string }) => layer),
    );
    const ip1 = result.layers[2];
    expect(ip1.parameterBytes.before).toBe(4 * (ip1.saturation.weights.of + ip1.saturation.biases.of));
    expect(ip1.parameterBytes.after).toBe(
      Math.ceil(ip1.saturation.weights.of / 2) + Math.ceil(ip1.saturation.biases.of / 2),
    );
  });

  it('minifloat: ladder, exponent bits, choice, prototxt', async () => {
    const result = await quantize(options('minifloat'));
    expect(result.exponentBits).toBe(expected.minifloat.exponentBits);
    expect(result.ladder).toEqual(exactly(expected.minifloat.ladder));
    const least = Math.min(...Object.keys(expected.minifloat.ladder).map(Number));
    expect(result.chosen).toEqual({ bitWidth: least });
    expect(result.combined).toBe(result.ladder![least]);
    expectSamePrototxt('minifloat');
  });

  it('integer_power_of_2_weights: score with activations trimmed, prototxt', async () => {
    const result = await quantize(options('integer_power_of_2_weights', { rounding: 'halfToEven' }));
    expect(result.combined).toBe(expected.integer_power_of_2_weights.activationsTrimmedTiesToEven);
    expectSamePrototxt('integer_power_of_2_weights');
  });

  it.each(Object.keys(expected?.nets ?? {}))('%s scores as the original does', async (name) => {
    const result = await score({
      ...options('dynamic_fixed_point'),
      model: join(folder, `${name}.prototxt`),
    });
    const names = result.outputs.map((o) => o.name);
    expect(result.means[names.indexOf('accuracy')]).toBe(Math.fround(expected.nets[name].accuracy));
    expect(result.means[names.indexOf('loss')]).toBeCloseTo(expected.nets[name].loss, 4);
  });

  it('gives the same result with given integer lengths, on one thread, with another margin from the journal', async () => {
    const given = await quantize(
      options('dynamic_fixed_point', { integerLengths: expected.integerLengths, threads: 1 }),
    );
    expect(given.ranges).toBeNull();
    expect(given.combined).toBe(Math.fround(expected.dynamic_fixed_point.combined));
    expectSamePrototxt('dynamic_fixed_point');
    const wide = await quantize(options('dynamic_fixed_point', { errorMargin: 100 }));
    expect(wide.chosen).toEqual({ convWeights: 1, fcWeights: 1, activations: 1 });
    expect(wide.withinMargin).toBe(true);
    expect(printText(wide.net)).toContain('bw_params: 1');
  });

  it('scores the output that is named', async () => {
    const result = await quantize(options('integer_power_of_2_weights', { score: 'loss' }));
    expect(result.scoredOutput).toBe('loss');
    expect(result.warnings.join()).toMatch(/is a loss/);
    await expect(quantize(options('minifloat', { score: 'acuracy' }))).rejects.toThrow(
      "no output 'acuracy' to score; its outputs are accuracy, loss",
    );
  });

  it('stops when it is aborted', async () => {
    const controller = new AbortController();
    const stopped = quantize(
      options('dynamic_fixed_point', {
        signal: controller.signal,
        onEvent: (event) => event.kind === 'batch' && controller.abort(new Error('enough')),
      }),
    );
    await expect(stopped).rejects.toThrow('enough');
  });
});
