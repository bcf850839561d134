import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { FormatError } from '../errors/index.js';
import { unreadable } from '../util/index.js';

// Small: after each large value that bypasses the window it is filled anew.
const windowBytes = 16 * 1024;

/**
 * A cursor over the bytes of a buffer or of a file. Of a file it holds one window; large values are read from
 * the file straight into the caller's array, so that nothing large is held twice. Every read stays below
 * `limit`; reading past it is a FormatError.
 */
export class ByteSource {
  private index = 0;
  private view: DataView;
  /** End of what may be read now, as an offset in the source. */
  limit: number;

  private constructor(
    private window: Uint8Array,
    private windowOffset: number,
    private windowLength: number,
    private readonly descriptor: number | null,
    readonly byteLength: number,
    readonly file: string | undefined,
  ) {
    this.view = new DataView(window.buffer, window.byteOffset, window.byteLength);
    this.limit = byteLength;
  }

  static ofBuffer(bytes: Uint8Array, file?: string): ByteSource {
    return new ByteSource(bytes, 0, bytes.byteLength, null, bytes.byteLength, file);
  }

  /** Opens a file, hands its source to `use`, and closes it. */
  static withFile<T>(path: string, use: (source: ByteSource) => T): T {
    let descriptor: number;
    try {
      descriptor = openSync(path, 'r');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new FormatError(unreadable(code), { file: path, cause: error });
    }
    try {
      const stat = fstatSync(descriptor);
      if (stat.isDirectory()) throw new FormatError(unreadable('EISDIR'), { file: path });
      // A pipe knows neither its size nor positions.
      if (!stat.isFile()) return use(ByteSource.ofBuffer(readFileSync(descriptor), path));
      const window = new Uint8Array(Math.min(windowBytes, stat.size));
      return use(new ByteSource(window, 0, 0, descriptor, stat.size, path));
    } finally {
      closeSync(descriptor);
    }
  }

  get offset(): number {
    return this.windowOffset + this.index;
  }

  fail(message: string, offset = this.offset): never {
    throw new FormatError(message, { file: this.file, offset });
  }

  /** Makes the next `count` bytes (few) lie in the window. */
  private need(count: number): void {
    if (this.offset + count > this.limit) this.fail(`truncated: ${count} more bytes expected`);
    if (this.index + count <= this.windowLength) return;
    // Only a file's window ends before its limit.
    this.windowOffset += this.index;
    this.index = 0;
    const want = Math.min(this.window.byteLength, this.byteLength - this.windowOffset);
    this.readAt(this.window, want, this.windowOffset);
    this.windowLength = want;
  }

  private readAt(target: Uint8Array, count: number, position: number): void {
    for (let done = 0; done < count;) {
      // 1 GiB at a time: a single read of more than 2 GiB is cut short by the operating system.
      const part = Math.min(count - done, 2 ** 30);
      const got = readSync(this.descriptor!, target, done, part, position + done);
      if (got === 0) this.fail('truncated while it was read', position + done);
      done += got;
    }
  }

  /** Copies the next bytes into `target`. */
  readInto(target: Uint8Array): void {
    const count = target.byteLength;
    if (this.offset + count > this.limit) this.fail(`truncated: ${count} more bytes expected`);
    const here = Math.min(count, this.windowLength - this.index);
    target.set(this.window.subarray(this.index, this.index + here));
    this.index += here;
    if (here === count) return;
    const position = this.offset;
    this.readAt(target.subarray(here), count - here, position);
    this.windowOffset = position + count - here;
    this.windowLength = 0;
    this.index = 0;
  }

  /** The next `count` bytes: a view of the buffer; of a file an array of their own. */
  bytes(count: number): Uint8Array {
    if (this.offset + count > this.limit) this.fail(`truncated: ${count} more bytes expected`);
    if (this.descriptor === null) {
      this.index += count;
      return this.window.subarray(this.index - count, this.index);
    }
    const result = new Uint8Array(count);
    this.readInto(result);
    return result;
  }

  text(count: number): string {
    const bytes = this.bytes(count);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  }

  skip(count: number): void {
    if (this.offset + count > this.limit) this.fail(`truncated: ${count} more bytes expected`);
    if (this.index + count <= this.windowLength) {
      this.index += count;
      return;
    }
    this.windowOffset = this.offset + count;
    this.windowLength = 0;
    this.index = 0;
  }

  byte(): number {
    this.need(1);
    return this.window[this.index++]!;
  }

  fixed32(): number {
    this.need(4);
    this.index += 4;
    return this.view.getUint32(this.index - 4, true);
  }

  float(): number {
    this.need(4);
    this.index += 4;
    return this.view.getFloat32(this.index - 4, true);
  }

  double(): number {
    this.need(8);
    this.index += 8;
    return this.view.getFloat64(this.index - 8, true);
  }

  /** The low 32 bits of a varint, unsigned. */
  varint32(): number {
    const start = this.offset;
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.byte();
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    return this.fail('a number of more than ten bytes', start);
  }

  /** A varint as a signed 64-bit number; refused where a double cannot hold it. */
  int64(): number {
    const start = this.offset;
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        const result = Number(BigInt.asIntN(64, value));
        return Number.isSafeInteger(result) ? result : this.fail('an integer beyond 2^53', start);
      }
    }
    return this.fail('a number of more than ten bytes', start);
  }

  /** A length, checked against what is left. */
  length(): number {
    const start = this.offset;
    const count = this.varint32();
    if (this.offset + count > this.limit) {
      const left = this.limit - this.offset;
      this.fail(`a length of ${count} bytes where ${left} are left (truncated or corrupt)`, start);
    }
    return count;
  }
}
