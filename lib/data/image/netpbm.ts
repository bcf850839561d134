import { DataError } from '../../errors/index.js';
import type { PixelImage } from '../../native/index.js';
import { checkSize, grayOf, READER_GRAY, type ColorMode } from './pixels.js';

const HASH = 0x23;
const LINE_FEED = 0x0a;

const isBlank = (byte: number): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

/** Numbers of a text with comments from # to the end of their line. */
class Numbers {
  constructor(
    readonly bytes: Uint8Array,
    public at: number,
  ) {}

  /** The next number of at most so many digits, and the one byte behind it. */
  next(digits = Infinity): number {
    const { bytes } = this;
    for (;;) {
      const byte = bytes[this.at];
      if (byte === HASH) while (this.at < bytes.length && bytes[this.at] !== LINE_FEED) this.at++;
      else if (!isBlank(byte)) break;
      this.at++;
    }
    if (this.at >= bytes.length) throw new DataError('its pixels end early');
    if (!isDigit(bytes[this.at])) throw new DataError('a number is expected and something else is found');
    let value = 0;
    for (let count = 0; count < digits && isDigit(bytes[this.at]); count++)
      value = Math.min(2 ** 31, 10 * value + bytes[this.at++] - 0x30);
    if (digits === Infinity) this.at++;
    return value;
  }
}

/**
 * Decodes a Netpbm file: bits (P1, P4), gray (P2, P5), RGB (P3, P6), as text or raw, one image. As in OpenCV, samples
 * of a text with a maximum below 255 are brought to 255, raw ones are taken as they are, and samples of two bytes are
 * their high bytes. Throws DataError.
 */
export function decodeNetpbm(bytes: Uint8Array, mode: ColorMode): PixelImage {
  const kind = bytes[1] - 0x30;
  const raw = kind > 3;
  const bits = kind === 1 || kind === 4;
  const samples = kind === 3 || kind === 6 ? 3 : 1;
  const numbers = new Numbers(bytes, 2);
  const [width, height, maximum] = [numbers.next(), numbers.next(), bits ? 1 : numbers.next()];
  checkSize(height, width);
  if (maximum < 1 || maximum > 65535) throw new DataError(`its largest value is ${maximum}, not 1 to 65535`);
  const count = height * width * samples;
  const size = maximum > 255 ? 2 : 1;
  const stride = bits ? Math.ceil(width / 8) : width * samples * size;
  // Text has a digit a sample, and but for bits a blank behind it.
  const least = raw ? height * stride : bits ? count : 2 * count - 1;
  if (numbers.at + least > bytes.length) throw new DataError('its pixels end early');

  const start = numbers.at;
  const values = new Uint8Array(count);
  if (bits)
    for (let i = 0; i < count; i++) {
      const x = i % width;
      const black = raw
        ? (bytes[start + Math.floor(i / width) * stride + (x >> 3)] >> (7 - (x & 7))) & 1
        : numbers.next(1);
      values[i] = black ? 0 : 255;
    }
  else if (raw && size === 1) values.set(bytes.subarray(start, start + count));
  else if (raw) for (let i = 0; i < count; i++) values[i] = bytes[start + 2 * i];
  else
    for (let i = 0; i < count; i++) {
      const value = Math.min(maximum, numbers.next());
      values[i] = size === 2 ? value >> 8 : Math.floor((value * 255) / maximum);
    }

  const channels = mode === 'color' ? 3 : mode === 'gray' ? 1 : samples;
  if (channels === samples) return { data: values, height, width, channels };
  const data = new Uint8Array(height * width * channels);
  for (let i = 0; i < height * width; i++)
    if (channels === 1) data[i] = grayOf(READER_GRAY, values[3 * i], values[3 * i + 1], values[3 * i + 2]);
    else data.fill(values[i], 3 * i, 3 * i + 3);
  return { data, height, width, channels };
}

/** A raw PGM of one channel, or PPM of three. */
export function encodeNetpbm({ data, height, width, channels }: PixelImage): Uint8Array {
  return Buffer.concat([Buffer.from(`P${channels === 1 ? 5 : 6}\n${width} ${height}\n255\n`), data]);
}
