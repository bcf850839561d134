import type { createLogUpdate } from 'log-update';
import { glogLine, type Severity } from './glog.js';
import type { OriginalLine } from './original-lines.js';

export type LogMode = 'glog' | 'terminal' | 'quiet';

/** Place of lines that the original does not have. */
const OWN_SITE = { file: 'ristretto.ts', line: 0 };

/** Redraws per second of the status block. */
const REDRAWS = 12;

/** Standard error as a terminal; some say that they have 0 columns and rows. */
const terminal = {
  write: (text: string) => process.stderr.write(text),
  isTTY: true,
  get columns() {
    return process.stderr.columns || 80;
  },
  get rows() {
    return process.stderr.rows || 24;
  },
} as NodeJS.WriteStream;

/**
 * The one place that prints. In mode 'glog' log lines go to stderr; in mode 'terminal' a status block of a few
 * lines is kept up to date at the bottom of stderr and tables go to stdout; 'quiet' leaves warnings and errors.
 */
export class Output {
  readonly mode: LogMode;
  #status: string[] = [];
  /** Draws the status block, wrapped lines counted; null until it is loaded, and where no block is drawn. */
  #block: ReturnType<typeof createLogUpdate> | null = null;
  #drawnAt = 0;

  constructor(
    mode: LogMode | 'auto',
    private readonly program: string,
  ) {
    this.mode = mode === 'auto' ? (process.stderr.isTTY ? 'terminal' : 'glog') : mode;
    // Most runs draw none; what has no cursor hidden need not be cleaned up after, however it ends.
    if (this.mode === 'terminal' && process.stderr.isTTY)
      void import('log-update').then(
        (library) => (this.#block = library.createLogUpdate(terminal, { showCursor: true })),
      );
  }

  /** A line of the original's log; shown in mode 'glog' only. */
  log({ site, text }: OriginalLine, severity: Severity = 'I'): void {
    if (this.mode === 'glog') this.#stderr(glogLine(severity, site, text, new Date(), process.pid));
  }

  /** A line of a log that the original does not have: progress where no status block is drawn. */
  note(text: string): void {
    if (this.mode === 'glog') this.#stderr(glogLine('I', OWN_SITE, text, new Date(), process.pid));
  }

  /** Results for the user: tables and answers; not shown in mode 'quiet'. */
  print(text: string): void {
    if (this.mode === 'quiet') return;
    this.#erase();
    process.stdout.write(text.endsWith('\n') ? text : text + '\n');
    this.#draw(true);
  }

  /** What was asked for, in every mode. */
  answer(text: string): void {
    this.#erase();
    process.stdout.write(text.endsWith('\n') ? text : text + '\n');
  }

  warn(message: string): void {
    if (this.mode === 'glog') this.#stderr(glogLine('W', OWN_SITE, message, new Date(), process.pid));
    else this.#stderr(`warning: ${message}`);
  }

  error(message: string): void {
    this.#stderr(`${this.program}: ${message}`);
  }

  /** Replaces the status block; an empty one removes it. */
  status(lines: string[]): void {
    this.#status = lines;
    this.#draw(lines.length === 0);
  }

  /** Columns that the status block may use. */
  get columns(): number {
    return terminal.columns;
  }

  #stderr(line: string): void {
    this.#erase();
    process.stderr.write(line + '\n');
    this.#draw(true);
  }

  #erase(): void {
    this.#block?.clear();
  }

  #draw(now: boolean): void {
    if (!this.#block || (!now && Date.now() - this.#drawnAt < 1000 / REDRAWS)) return;
    this.#drawnAt = Date.now();
    if (this.#status.length > 0) this.#block(this.#status.join('\n'));
    else this.#block.clear();
  }
}
