import { FormatError } from '../errors/index.js';
import { linesOf, readTextFile, type TextPlace } from './text-file.js';

/** Where the parser stopped: its messages name the place only sometimes. */
function faultAt(text: string, message: string): number {
  const position = /at position (\d+)/.exec(message);
  if (position) return Number(position[1]);
  // A part that ends before the fault is cut short, one that holds it is faulty: the place is between the two.
  const isFaulty = (length: number): boolean => {
    try {
      JSON.parse(text.slice(0, length));
      return false;
    } catch (error) {
      return /^Unexpected token|is not valid JSON$/.test((error as Error).message);
    }
  };
  let [sound, faulty] = [0, text.length + 1];
  while (faulty - sound > 1) {
    const middle = Math.floor((sound + faulty) / 2);
    if (isFaulty(middle)) faulty = middle;
    else sound = middle;
  }
  return sound;
}

/** Parses JSON; what is none is a FormatError that names the file, line and column. */
export function parseJson(text: string, file: string, place: TextPlace = {}): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const { message } = error as Error;
    const before = text.slice(0, faultAt(text, message));
    const lines = linesOf(`${before}.`);
    // Only the reason: the place is ours, and the text around it may be of many lines.
    const reason = message.replace(/,? (in JSON|at position|\.{3}|").*$/s, '');
    throw new FormatError(`is not JSON: ${reason}`, {
      file,
      ...place,
      line: lines.length,
      column: lines.at(-1)!.length,
      cause: error,
    });
  }
}

/** Reads a file of JSON. */
export function readJsonFile(path: string, place: TextPlace = {}): unknown {
  return parseJson(readTextFile(path, place), path, place);
}
