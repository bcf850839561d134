import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { RistrettoError } from '../errors/index.js';
import { isTypedArray } from '../util/typed-array.js';
import type { LayerRange } from './integer-lengths.js';
import type { NetScores } from './running-scores.js';

/** What a search keeps across a crash: what calibration found, and every finished evaluation. */
type JournalRecord =
  | { kind: 'header'; format: 1; key: string }
  | { kind: 'ranges'; ranges: LayerRange[]; scores: NetScores }
  | { kind: 'scores'; net: string; scores: NetScores };

/** JSON has no NaN and no infinity, and typed arrays print as objects. */
function encode(record: JournalRecord): string {
  return JSON.stringify(record, (_key, value: unknown) => {
    if (isTypedArray(value, Float32Array)) return { f32: Array.from(value, encodeNumber) };
    return typeof value === 'number' ? encodeNumber(value) : value;
  });
}

function encodeNumber(value: number): number | { number: string } {
  return Number.isFinite(value) ? value : { number: String(value) };
}

function decode(line: string): JournalRecord {
  return JSON.parse(line, (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null) return value;
    if ('f32' in value) return Float32Array.from(value.f32 as number[]);
    return 'number' in value ? Number(value.number) : value;
  }) as JournalRecord;
}

/** How every journal starts; one that a crash cut short, as far as it goes. */
const JOURNAL_START = '{"kind":"header"';

/**
 * A file of JSON lines beside the output, to which every finished evaluation is appended and synced, so that a
 * search that was killed continues where it was. Its first line carries a key over everything that the
 * results depend on; records under another key are not used. A last line that a crash cut short is dropped.
 */
export class Journal {
  #scores = new Map<string, NetScores>();
  #ranges: { ranges: LayerRange[]; scores: NetScores } | null = null;
  #file: number | null = null;
  /** Evaluations that were found at the start. */
  readonly resumed: number;
  /** True where the file at the path belongs to another search and is replaced. */
  readonly foreign: boolean;

  /** Opens the file, which is started anew unless `resume` is set. */
  constructor(
    readonly path: string,
    key: string,
    resume: boolean,
  ) {
    let keep = 0;
    let foreign = false;
    this.#refuseOthers();
    if (resume && existsSync(path)) {
      const text = this.#guard('read', () => readFileSync(path));
      keep = this.#load(text, key);
      foreign = keep === 0;
    }
    this.foreign = foreign;
    this.resumed = this.#scores.size + (this.#ranges ? 1 : 0);
    this.#guard('written', () => {
      this.#file = openSync(path, keep > 0 ? 'r+' : 'w');
      ftruncateSync(this.#file, keep);
    });
    this.#position = keep;
    if (keep === 0) this.#append({ kind: 'header', format: 1, key });
  }

  #position: number;

  /** Throws where another file than a journal lies at the path, which would be lost. */
  #refuseOthers(): void {
    if (!existsSync(this.path)) return;
    const start = Buffer.alloc(JOURNAL_START.length);
    const length = this.#guard('read', () => {
      const file = openSync(this.path, 'r');
      try {
        return readSync(file, start);
      } finally {
        closeSync(file);
      }
    });
    if (!JOURNAL_START.startsWith(start.toString('latin1', 0, length)))
      throw new RistrettoError(
        'is in the way: a search keeps its journal here, and this is another file; move it, or write the net elsewhere',
        { file: this.path },
      );
  }

  get ranges(): { ranges: LayerRange[]; scores: NetScores } | null {
    return this.#ranges;
  }

  /** The scores of a net (by its digest), where they are known. */
  scores(net: string): NetScores | undefined {
    return this.#scores.get(net);
  }

  addRanges(ranges: LayerRange[], scores: NetScores): void {
    this.#ranges = { ranges, scores };
    this.#append({ kind: 'ranges', ranges, scores });
  }

  addScores(net: string, scores: NetScores): void {
    this.#scores.set(net, scores);
    this.#append({ kind: 'scores', net, scores });
  }

  /** Leaves the file for a later resume, or removes it when the search is done or has not found anything yet. */
  close(remove: boolean): void {
    if (this.#file === null) return;
    closeSync(this.#file);
    this.#file = null;
    const empty = !this.#ranges && this.#scores.size === 0;
    if (remove || empty) rmSync(this.path, { force: true });
  }

  /** Takes the records of a file with the right key; returns how many of its bytes are whole records. */
  #load(bytes: Buffer, key: string): number {
    let start = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      let record: JournalRecord;
      try {
        record = decode(bytes.toString('utf8', start, end));
      } catch {
        break;
      }
      if (start === 0 && !(record?.kind === 'header' && record.format === 1 && record.key === key)) return 0;
      if (record.kind === 'scores') this.#scores.set(record.net, record.scores);
      else if (record.kind === 'ranges') this.#ranges = { ranges: record.ranges, scores: record.scores };
      start = end + 1;
    }
    return start;
  }

  #append(record: JournalRecord): void {
    if (this.#file === null) throw new RistrettoError('the journal is closed', { file: this.path });
    const file = this.#file;
    const line = Buffer.from(encode(record) + '\n');
    this.#guard('written', () => {
      for (let done = 0; done < line.length;)
        done += writeSync(file, line, done, line.length - done, this.#position + done);
      fsyncSync(file);
    });
    this.#position += line.length;
  }

  #guard<T>(verb: string, action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw new RistrettoError(`the journal cannot be ${verb} (${(error as NodeJS.ErrnoException).code})`, {
        file: this.path,
        cause: error,
      });
    }
  }
}
