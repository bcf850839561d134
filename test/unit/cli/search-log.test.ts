import { describe, expect, it } from 'vitest';
import { SearchLog } from '../../../lib/cli/search-log.js';
import type { EvaluationId, QuantizeEvent } from '../../../lib/quantize/index.js';

const outputs = [
  { name: 'accuracy', count: 1, lossWeight: 0 },
  { name: 'loss', count: 1, lossWeight: 2 },
];
const id = (part: EvaluationId['part'], bitWidth: number | null = null): EvaluationId => ({ part, bitWidth });
const round = (...evaluations: EvaluationId[]): QuantizeEvent => ({
  kind: 'round',
  evaluations,
  iterations: 1,
});
const batch = (evaluation: EvaluationId, score: number): QuantizeEvent => ({
  kind: 'batch',
  evaluation,
  batch: 0,
  iterations: 1,
  outputs,
  scores: { loss: 1, values: Float32Array.of(score, 0.5) },
});
const scored = (evaluation: EvaluationId, score: number, reused = false): QuantizeEvent => ({
  kind: 'scored',
  evaluation,
  iterations: 1,
  score,
  reused,
  scores: {
    outputs,
    batches: [{ loss: 1, values: Float32Array.of(score, 0.5) }],
    means: Float32Array.of(score, 0.5),
    loss: 1,
  },
});

/** Runs events through a log; gives the lines after each of them. */
function play(events: QuantizeEvent[], options = { integerLengths: true, combined: true }) {
  const lines: string[] = [];
  const log = new SearchLog(({ text }) => lines.push(text), options);
  const counts = events.map((event) => (log.handle(event), lines.length));
  log.finish();
  return { lines, counts };
}

const evaluationLines = (score: string) => [
  'Running for 1 iterations.',
  `Batch 0, accuracy = ${score}`,
  'Batch 0, loss = 0.5',
  'Loss: 1',
  `accuracy = ${score}`,
  'loss = 0.5 (* 2 = 1 loss)',
];

describe('SearchLog', () => {
  it('puts a search that runs side by side into the order in which the original runs', () => {
    const [conv16, conv8, fc16, act16] = [
      id('convWeights', 16),
      id('convWeights', 8),
      id('fcWeights', 16),
      id('activations', 16),
    ];
    const { lines, counts } = play([
      round(id('calibration')),
      batch(id('calibration'), 0.1),
      scored(id('calibration'), 0.1),
      {
        kind: 'integerLengths',
        integerLengths: [{ layer: 'conv1', input: 8, output: 11, parameters: 1 }],
      },
      round(id('baseline'), conv16, fc16, act16),
      batch(id('baseline'), 0.9),
      batch(conv16, 0.8),
      batch(act16, 0.7),
      scored(id('baseline'), 0.9),
      scored(conv16, 0.8),
      scored(fc16, 0.9, true),
      scored(act16, 0.7),
      round(conv8),
      batch(conv8, 0.6),
      scored(conv8, 0.6),
      round(id('combined')),
      batch(id('combined'), 0.5),
      scored(id('combined'), 0.5),
    ]);
    expect(lines).toEqual([
      ...evaluationLines('0.9'),
      ...evaluationLines('0.1'),
      'Layer conv1, integer length input=8, integer length output=11, integer length parameters=1',
      ...evaluationLines('0.8'),
      ...evaluationLines('0.6'),
      ...evaluationLines('0.9'),
      ...evaluationLines('0.7'),
      ...evaluationLines('0.5'),
    ]);
    // Nothing before its turn, and the baseline's lines as they come.
    expect(counts.slice(0, 6)).toEqual([0, 0, 0, 0, 1, 3]);
    expect(counts[8]).toBe(6 + 7 + 3);
  });

  it('leaves out what the original does not log in a mode', () => {
    const { lines } = play(
      [
        { kind: 'integerLengths', integerLengths: [{ layer: 'conv1', input: 1, output: 1, parameters: 1 }] },
        round(id('baseline'), id('ladder', 16)),
        batch(id('baseline'), 0.9),
        batch(id('ladder', 16), 0.8),
        scored(id('baseline'), 0.9),
        scored(id('ladder', 16), 0.8),
        round(id('combined', 16)),
        scored(id('combined', 16), 0.8, true),
      ],
      { integerLengths: false, combined: false },
    );
    expect(lines).toEqual([...evaluationLines('0.9'), ...evaluationLines('0.8')]);
  });
});
