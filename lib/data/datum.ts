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

/** Parses and decodes a record's bytes; whatever is wrong with them names the record. */
export async function decodeDatumBytes(
  bytes: Uint8Array,
  key: string,
  mode: ColorMode,
  place: string,
): Promise<DecodedRecord> {
  try {
    return await decodeDatum(decode('Datum', bytes), key, mode);
  } catch (error) {
    throw new RecordError(key, `corrupt: ${(error as Error).message}`, { file: place, cause: error });
  }
}
