import {
  appendFileSync,
  mkdtempSync,
  existsSync,
  readFileSync,
  truncateSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Journal } from '../../../lib/quantize/journal.js';
import type { NetScores } from '../../../lib/quantize/running-scores.js';

const path = () => join(mkdtempSync(join(tmpdir(), 'journal-')), 'out.prototxt.journal');
const scores = (score: number): NetScores => ({
  outputs: [{ name: 'accuracy', count: 1, lossWeight: 0 }],
  batches: [{ loss: NaN, values: Float32Array.of(score, Infinity) }],
  means: Float32Array.of(score, -Infinity),
  loss: NaN,
});

describe('Journal', () => {
  it('gives back what it was told, bit for bit', () => {
    const file = path();
    const first = new Journal(file, 'key', false);
    first.addScores('a', scores(0.1));
    first.addRanges([{ layer: 'conv1', input: 1 / 3, output: 2, parameters: 3 }], scores(0.3));
    first.close(false);
    const second = new Journal(file, 'key', true);
    expect(second.resumed).toBe(2);
    expect(second.scores('a')).toEqual(scores(0.1));
    expect(second.ranges?.ranges[0].input).toBe(1 / 3);
    second.addScores('b', scores(0.2));
    second.close(false);
    const third = new Journal(file, 'key', true);
    expect(third.scores('b')).toEqual(scores(0.2));
    third.close(true);
    expect(existsSync(file)).toBe(false);
  });

  it('survives a cut at every byte of its last line', () => {
    const file = path();
    const journal = new Journal(file, 'key', false);
    journal.addScores('a', scores(0.1));
    const whole = statSync(file).size;
    journal.addScores('b', scores(0.2));
    journal.close(false);
    const full = readFileSync(file);
    for (let size = whole; size < full.length; size += 7) {
      writeFileSync(file, full);
      truncateSync(file, size);
      const resumed = new Journal(file, 'key', true);
      expect(resumed.resumed).toBe(1);
      resumed.addScores('b', scores(0.2));
      resumed.close(false);
      expect(readFileSync(file).equals(full)).toBe(true);
    }
  });

  it('drops what follows a damaged line', () => {
    const file = path();
    const journal = new Journal(file, 'key', false);
    journal.addScores('a', scores(0.1));
    journal.close(false);
    appendFileSync(file, 'garbage\n{"kind":"scores","net":"c","scores":{}}\n');
    const resumed = new Journal(file, 'key', true);
    expect(resumed.scores('c')).toBeUndefined();
    expect(resumed.scores('a')).toBeDefined();
    resumed.close(true);
  });

  it('does not use records of another search, nor any without resume', () => {
    const file = path();
    const journal = new Journal(file, 'key', false);
    journal.addScores('a', scores(0.1));
    journal.close(false);
    const other = new Journal(file, 'another', true);
    expect([other.foreign, other.resumed]).toEqual([true, 0]);
    other.addScores('a', scores(0.4));
    other.close(false);
    const anew = new Journal(file, 'another', false);
    expect([anew.foreign, anew.resumed]).toEqual([false, 0]);
    anew.close(true);
  });

  it('leaves a file that is no journal as it is, and none behind of a search that found nothing', () => {
    const file = path();
    writeFileSync(file, 'my notes\n');
    for (const resume of [false, true])
      expect(() => new Journal(file, 'key', resume)).toThrow(/journal: is in the way: .*another file/);
    expect(readFileSync(file, 'utf8')).toBe('my notes\n');
    // A crash may have cut the first line anywhere.
    for (const start of ['', '{"ki', '{"kind":"header","for']) {
      writeFileSync(file, start);
      new Journal(file, 'key', true).close(false);
      expect(existsSync(file)).toBe(false);
    }
  });

  it('names a path that cannot be written', () => {
    expect(() => new Journal('/nonexistent/folder/journal', 'key', false)).toThrow(
      '/nonexistent/folder/journal',
    );
  });
});
