import { isUtf8 } from 'node:buffer';
import { FormatError } from '../errors/index.js';

const encodings: readonly (readonly [name: string, start: readonly number[]])[] = [
  ['UTF-32', [0xff, 0xfe, 0, 0]],
  ['UTF-32', [0, 0, 0xfe, 0xff]],
  ['UTF-16', [0xff, 0xfe]],
  ['UTF-16', [0xfe, 0xff]],
];

/** The encoding other than UTF-8 that a text starts as; null where it does not. */
function otherEncoding(bytes: Uint8Array): string | null {
  const marked = encodings.find(([, start]) => start.every((byte, i) => bytes[i] === byte));
  if (marked) return marked[0];
  // Every other byte of Latin text in UTF-16 is 0; a binary file's zeros do not alternate with letters.
  const head = bytes.subarray(0, 64);
  const zeros = (odd: number) => head.every((byte, i) => (i % 2 === odd) === (byte === 0));
  return head.length >= 4 && (zeros(0) || zeros(1)) ? 'UTF-16' : null;
}

/**
 * The text of a file in UTF-8, with or without a mark in front. Bytes that are none become U+FFFD and make the text
 * `damaged`: protobuf does not mind them in comments, so that is for the reader to judge. Text of another
 * encoding is an error that says so.
 */
export function decodeText(bytes: Uint8Array, file: string): { text: string; damaged: boolean } {
  const encoding = otherEncoding(bytes);
  if (encoding)
    throw new FormatError(
      `is ${encoding} text, not UTF-8: save it as UTF-8, as with iconv -f ${encoding} -t UTF-8 (PowerShell's > writes UTF-16)`,
      { file },
    );
  return {
    text: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'),
    damaged: !isUtf8(bytes),
  };
}
