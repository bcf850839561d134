import { DataError } from '../../errors/index.js';
import type { PixelImage } from '../../native/index.js';
import { checkSize, grayOf, READER_GRAY, type ColorMode } from './pixels.js';

/** Compression of the pixels. */
const RGB = 0;
const RLE8 = 1;
const RLE4 = 2;
const BIT_FIELDS = 3;

interface BmpHeader {
  height: number;
  width: number;
  topDown: boolean;
  /** Per pixel: 1, 4, 8 (indices), 15 or 16 (555 or 565), 24, 32. */
  bits: number;
  compression: number;
  /** Of 1, 4 and 8 bits: 256 entries of blue, green, red, 0. */
  palette: Uint8Array | null;
  /** Whether colours are kept in mode 'native'. */
  color: boolean;
  /** Of 32 bits in mode 'native': where red, green, blue and alpha lie; null for blue, green, red, alpha. */
  masks: number[] | null;
  /** Where the pixels start. */
  offset: number;
}

/** Reads the headers and the palette as OpenCV 4.6 does: what it reads with other values than meant, so do we. */
function readHeader(bytes: Uint8Array): BmpHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const need = (end: number) => {
    if (bytes.length < end) throw new DataError('its header ends early');
  };
  need(26);
  const offset = view.getUint32(10, true);
  const size = view.getUint32(14, true);
  const old = size === 12; // OS/2
  if (!old && size < 36) throw new DataError(`it has a header of ${size} bytes, which is not known`);
  need(old ? 26 : 50);
  const width = old ? view.getUint16(18, true) : view.getInt32(18, true);
  const signedHeight = old ? view.getUint16(20, true) : view.getInt32(22, true);
  const height = Math.abs(signedHeight);
  let bits = view.getUint16(old ? 24 : 28, true);
  const compression = old ? RGB : view.getUint32(30, true);
  checkSize(height, width);
  const known = {
    [RGB]: old ? [1, 4, 8, 24, 32] : [1, 4, 8, 16, 24, 32],
    [RLE8]: [8],
    [RLE4]: [4],
    [BIT_FIELDS]: [16, 32],
  }[compression];
  if (!known?.includes(bits))
    throw new DataError(`it has ${bits} bits a pixel with compression ${compression}, which is not read`);

  let masks: number[] | null = null;
  if (bits === 16) {
    if (compression === BIT_FIELDS) {
      need(66);
      const [red, green, blue] = [54, 58, 62].map((at) => view.getUint32(at, true));
      if (red === 0x7c00 && green === 0x3e0 && blue === 0x1f) bits = 15;
      else if (red !== 0xf800 || green !== 0x7e0 || blue !== 0x1f)
        throw new DataError('its 16 bits a pixel are neither 5, 5, 5 nor 5, 6, 5 of red, green and blue');
    } else bits = 15;
  } else if (bits === 32 && compression === BIT_FIELDS && size >= 56) {
    need(70);
    masks = [54, 58, 62, 66].map((at) => view.getUint32(at, true));
  }

  let palette: Uint8Array | null = null;
  let color = !old;
  if (bits <= 8) {
    const used = old ? 0 : view.getUint32(46, true);
    if (used > 256) throw new DataError(`it has a palette of ${used} colours`);
    const count = used || 1 << bits;
    const entry = old ? 3 : 4;
    const start = 14 + size;
    need(start + entry * count);
    palette = new Uint8Array(4 * 256);
    for (let i = 0; i < count; i++)
      for (let c = 0; c < 3; c++) palette[4 * i + c] = bytes[start + entry * i + c];
    if (color) color = hasColor(palette, 1 << bits);
  }
  return { height, width, topDown: signedHeight < 0, bits, compression, palette, color, masks, offset };
}

function hasColor(palette: Uint8Array, count: number): boolean {
  for (let i = 0; i < count; i++)
    if (palette[4 * i] !== palette[4 * i + 1] || palette[4 * i] !== palette[4 * i + 2]) return true;
  return false;
}

/**
 * The indices that run lengths stand for, rows as they come in the file; what is skipped has index 0. As in OpenCV,
 * a run of 8 bits that ends a row goes on with the next one, and a skip of 4 bits stays in its row.
 */
function decodeRunLengths(bytes: Uint8Array, { height, width, bits, offset }: BmpHeader): Uint8Array {
  const indices = new Uint8Array(height * width);
  let at = offset;
  const byte = () => {
    if (at >= bytes.length) throw new DataError('its pixels end early');
    return bytes[at++];
  };
  const wide = bits === 8;
  let [x, y] = [0, 0];
  // The last thing was a run up to the end of its row: the end that is told next is that one.
  let ended = false;
  while (y < height) {
    const [length, code] = [byte(), byte()];
    const count = length || code;
    if ((length > 0 || code > 2) && x + count > width)
      throw new DataError(`a run of ${count} pixels goes beyond the end of its row`);
    const to = y * width + x;
    if (length > 0) {
      const [even, odd] = wide ? [code, code] : [code >> 4, code & 15];
      for (let i = 0; i < length; i++) indices[to + i] = i & 1 ? odd : even;
      x += length;
      ended = wide && x === width;
      if (ended) [x, y] = [0, y + 1];
    } else if (code > 2) {
      const packed = wide ? code : (code + 1) >> 1;
      for (let i = 0; i < code; i++) {
        if (wide) indices[to + i] = byte();
        else if (i & 1) indices[to + i] = bytes[at - 1] & 15;
        else indices[to + i] = byte() >> 4;
      }
      if (packed & 1) byte();
      x += code;
      ended = false;
    } else {
      if (code === 1) break;
      if (code === 0) {
        if (!ended) [x, y] = [0, y + 1];
      } else {
        const [right, up] = [byte(), byte()];
        const place = to + right + (wide ? up * width : 0);
        [x, y] = [place % width, Math.floor(place / width)];
      }
      ended = false;
    }
  }
  return indices;
}

/** A channel of a pixel by its mask, brought to 0 .. 255; 255 where there is no such channel. */
function masked(pixel: number, mask: number): number {
  if (mask === 0) return 255;
  const shift = 31 - Math.clz32(mask & -mask);
  return Math.floor((((pixel & mask) >>> shift) * 255) / (mask >>> shift));
}

/**
 * Decodes a BMP file: 1, 4 and 8 bits with a palette, plain or run-length coded, 16 bits (5, 5, 5 and 5, 6, 5), 24
 * and 32 bits, rows from either end, the headers of OS/2 and of all versions of Windows. Throws DataError.
 */
export function decodeBmp(bytes: Uint8Array, mode: ColorMode): PixelImage {
  const header = readHeader(bytes);
  const { height, width, topDown, bits, compression, palette, color, masks, offset } = header;
  const packed = compression === RLE8 || compression === RLE4;
  const stride = 4 * Math.ceil((width * (bits === 15 ? 16 : bits)) / 32);
  if (!packed && offset + height * stride > bytes.length) throw new DataError('its pixels end early');
  const gray = mode === 'gray' || (mode === 'native' && !color);
  const alpha = mode === 'native' && !gray && bits === 32 && compression === BIT_FIELDS;
  const channels = gray ? 1 : alpha ? 4 : 3;
  const indices = packed ? decodeRunLengths(bytes, header) : null;
  const data = new Uint8Array(height * width * channels);

  for (let y = 0; y < height; y++) {
    const row = topDown ? y : height - 1 - y;
    const start = offset + row * stride;
    let to = y * width * channels;
    for (let x = 0; x < width; x++, to += channels) {
      let red: number;
      let green: number;
      let blue: number;
      let opacity = 255;
      if (palette) {
        let index: number;
        if (indices) index = indices[row * width + x];
        else if (bits === 8) index = bytes[start + x];
        else if (bits === 4) index = (bytes[start + (x >> 1)] >> (x & 1 ? 0 : 4)) & 15;
        else index = (bytes[start + (x >> 3)] >> (7 - (x & 7))) & 1;
        blue = palette[4 * index];
        green = palette[4 * index + 1];
        red = palette[4 * index + 2];
      } else if (bits <= 16) {
        const pixel = bytes[start + 2 * x] | (bytes[start + 2 * x + 1] << 8);
        blue = (pixel << 3) & 0xf8;
        green = bits === 15 ? (pixel >> 2) & 0xf8 : (pixel >> 3) & 0xfc;
        red = bits === 15 ? (pixel >> 7) & 0xf8 : (pixel >> 8) & 0xf8;
      } else {
        const from = start + (bits >> 3) * x;
        blue = bytes[from];
        green = bytes[from + 1];
        red = bytes[from + 2];
        if (alpha) opacity = bytes[from + 3];
        if (alpha && masks) {
          const pixel = (blue | (green << 8) | (red << 16) | (opacity << 24)) >>> 0;
          red = masked(pixel, masks[0]);
          green = masked(pixel, masks[1]);
          blue = masked(pixel, masks[2]);
          opacity = masked(pixel, masks[3]);
        }
      }
      if (gray) data[to] = grayOf(READER_GRAY, red, green, blue);
      else {
        data[to] = red;
        data[to + 1] = green;
        data[to + 2] = blue;
        if (alpha) data[to + 3] = opacity;
      }
    }
  }
  return { data, height, width, channels };
}

/** A BMP of 24 bits, or of 8 bits with a palette of gray for one channel. */
export function encodeBmp({ data, height, width, channels }: PixelImage): Uint8Array {
  const gray = channels === 1;
  const stride = 4 * Math.ceil((width * channels) / 4);
  const offset = 54 + (gray ? 4 * 256 : 0);
  const bytes = new Uint8Array(offset + stride * height);
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]);
  view.setUint32(2, bytes.length, true);
  view.setUint32(10, offset, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, width, true);
  view.setInt32(22, height, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 8 * channels, true);
  view.setUint32(34, stride * height, true);
  if (gray) for (let i = 0; i < 256; i++) bytes.fill(i, 54 + 4 * i, 54 + 4 * i + 3);
  for (let y = 0; y < height; y++) {
    const to = offset + (height - 1 - y) * stride;
    const from = y * width * channels;
    for (let i = 0; i < width * channels; i += channels)
      for (let c = 0; c < channels; c++) bytes[to + i + c] = data[from + i + channels - 1 - c];
  }
  return bytes;
}
