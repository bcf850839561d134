import { DataError } from '../errors/index.js';
import { decode, type Datum } from '../proto/index.js';
import { decodeImage, type ColorMode } from './decode-image.js';
import { RecordError, type DecodedRecord } from './record.js';

/**
 * A Datum's values: raw ones (bytes or floats, planar) as they are, an encoded image decoded. Encoded Datums
 * carry their size inside the image; what their own fields say is not looked at.
 */
export async function decodeDatum(datum: Datum, key: string, mode: ColorMode): Promise<DecodedRecord> {
  if (datum.encoded) {
    const image = await decodeImage(datum.data, mode);
    return { key, ...image, layout: 'interleavedSwapped', label: datum.label, decoded: true };
  }
  const { channels, height, width, label } = datum;
  const data = datum.data.length > 0 ? datum.data : datum.float_data;
  if (channels < 1 || height < 1 || width < 1)
    throw new DataError(`a Datum of ${channels} x ${height} x ${width} that holds no encoded image`);
  if (data.length !== channels * height * width)
    throw new DataError(
      `a Datum of ${channels} x ${height} x ${width} needs ${channels * height * width} values and has ${data.length}`,
    );
  return { key, data, channels, height, width, layout: 'planar', label, decoded: false };
}

/** Heads of msgpack's byte strings, and the bytes that their length takes. */
const msgpackHeads: Readonly<Record<number, number>> = { 0xc4: 1, 0xc5: 2, 0xc6: 4 };

/**
 * A value without the head that msgpack gives byte strings: the npm package lmdb stores its values so unless told
 * otherwise. No Datum begins like one.
 */
function withoutMsgpack(bytes: Uint8Array): Uint8Array {
  const width = msgpackHeads[bytes[0]];
  if (width === undefined || bytes.length < 1 + width) return bytes;
  const value = bytes.subarray(1 + width);
  const length = bytes.subarray(1, 1 + width).reduce((sum, byte) => sum * 256 + byte, 0);
  return length === value.length ? value : bytes;
}

/** Parses and decodes a record's bytes; whatever is wrong with them names the record. */
export async function decodeDatumBytes(
  bytes: Uint8Array,
  key: string,
  mode: ColorMode,
  place: string,
): Promise<DecodedRecord> {
  try {
    return await decodeDatum(decode('Datum', withoutMsgpack(bytes)), key, mode);
  } catch (error) {
    throw new RecordError(key, `corrupt: ${(error as Error).message}`, { file: place, cause: error });
  }
}
