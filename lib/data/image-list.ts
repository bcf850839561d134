import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { FormatError } from '../errors/index.js';
import { readListFile } from '../util/index.js';
import type { ImageEntry } from './image-files.js';

/** A label is an int32 in a Datum. */
const [minLabel, maxLabel] = [-(2 ** 31), 2 ** 31 - 1];

/** As much of a line as an error shows. */
const shown = (text: string) => (text.length > 100 ? `${text.slice(0, 100)}…` : text);

/** What is wrong with a line whose last word is no label. */
function whyNoLabel(text: string, last: string): string {
  if (/[,;]\s*[+-]?\d+$/.test(text)) {
    const separator = text.includes(';') ? 'semicolon' : 'comma';
    return `'${shown(text)}' has a ${separator} between the path and the label: put a blank or a tab there`;
  }
  if (/^[+-]?(\d+\.\d*|\.\d+|\d+(\.\d*)?[eE][+-]?\d+)$/.test(last))
    return `label '${shown(last)}' is not a whole number`;
  return `'${shown(text)}' has no label: a line is a path, a blank or a tab, and a whole number`;
}

/** Splits a line at its last blanks or tabs: paths may hold some. Where labels may be left out, they are 0 then. */
function parseLine(
  text: string,
  needsLabel: boolean,
  fail: (message: string) => never,
): { name: string; label: number } {
  const [, before, last] = /^(?:(.*\S)[ \t]+)?(\S+)$/.exec(text) ?? [];
  const name = before ?? '';
  if (name === '' || !/^[+-]?\d+$/.test(last)) {
    if (needsLabel || /[,;]\s*[+-]?\d+$/.test(text)) fail(whyNoLabel(text, last ?? text));
    return { name: text, label: 0 };
  }
  if (/[,;]$/.test(name)) fail(whyNoLabel(text, last));
  if (/^(["']).*\1$/.test(name))
    fail(`${shown(name)} is in quotes: leave them away; blanks in a path need none`);
  const label = Number(last);
  if (label < minLabel || label > maxLabel)
    fail(`label ${shown(last)} is outside ${minLabel} to ${maxLabel}, what a label can be`);
  return { name, label };
}

/** Whether a name looks like that of an image and a number behind it: a line with two labels, unless it is a name. */
const endsInNumber = (name: string): boolean => /\.\w+[ \t]+[+-]?\d+$/.test(name);

export interface ImageListOptions {
  /** Put before each path as it stands, as Caffe does. */
  rootFolder: string;
  /** Where relative paths start; the working folder where unset. */
  baseFolder?: string;
  layer?: string;
  /** Whether a line without a label is an error, which it is by default; without one the label is 0. */
  needsLabel?: boolean;
}

/** Reads a list of images, `path label` a line. What is wrong with it is a FormatError with file and line. */
export function readImageList(file: string, options: ImageListOptions): ImageEntry[] {
  const { rootFolder, baseFolder = '.', layer, needsLabel = true } = options;
  const entries = readListFile(file, { layer }).map(({ line, text }) => {
    const fail = (message: string): never => {
      throw new FormatError(message, { file, layer, line });
    };
    const { name, label } = parseLine(text, needsLabel, fail);
    const path = resolve(baseFolder, rootFolder + name);
    if (endsInNumber(name) && !existsSync(path))
      fail(`'${shown(text)}' has more than one number behind the path: an image has one label here`);
    return { name, label, path };
  });
  if (entries.length === 0) throw new FormatError('lists no images', { file, layer });
  return entries;
}
