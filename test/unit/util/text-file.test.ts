import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FormatError } from '../../../lib/errors/index.js';
import { linesOf, parseJson, readJsonFile, readListFile, readTextFile } from '../../../lib/util/index.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ristretto-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(content: string | Uint8Array): string {
  const path = join(folder, 'list.txt');
  writeFileSync(path, content);
  return path;
}

describe('lines', () => {
  it('end as on any system', () => {
    for (const end of ['\n', '\r\n', '\r']) {
      expect(linesOf(`a${end}${end}b${end}`)).toEqual(['a', '', 'b']);
      expect(linesOf(`a${end}b`)).toEqual(['a', 'b']);
    }
    expect(linesOf('')).toEqual([]);
  });

  it('of a list keep their numbers where others are left out', () => {
    expect(readListFile(file('\ufeff\r\n a b \r\n\t\r\n\tc\r\n'))).toEqual([
      { line: 2, text: 'a b' },
      { line: 4, text: 'c' },
    ]);
  });
});

describe('what is no text in UTF-8', () => {
  const place = { layer: 'd', field: 'source' };
  const latin = (text: string) => Buffer.from(text, 'latin1');

  it.each([
    [
      'UTF-16',
      Buffer.from('\ufeffa 1\n', 'utf16le'),
      /list\.txt: layer 'd': source: is UTF-16: save it as UTF-8/,
    ],
    ['UTF-16 of the other order', Buffer.from('\ufeffa 1', 'utf16le').swap16(), /is UTF-16/],
    ['UTF-16 without a mark', Buffer.from('a 1\n', 'utf16le'), /list\.txt:1:1: .*zero byte.*UTF-16/],
    ['binary', Uint8Array.of(97, 10, 98, 10, 0), /list\.txt:3:1: layer 'd': source: holds a zero byte/],
    ['Latin-1', latin('a 1\nb 1\n\xfc.jpg 2\n'), /list\.txt:3:1: layer 'd': source: is not UTF-8/],
    ['Latin-1 with CR LF', latin('a\r\nb\r\nc\xfc\r\n'), /list\.txt:3:1: /],
    ['Latin-1 with CR', latin('a\rb\xfc\rc'), /list\.txt:2:1: /],
    ['a character cut short', Buffer.concat([Buffer.from('a\nb\n'), Uint8Array.of(0xc3)]), /list\.txt:3:1: /],
  ])('%s is said to be so', (_what, bytes, message) => {
    const path = file(bytes);
    expect(() => readTextFile(path, place)).toThrow(message);
    expect(() => readTextFile(path, place)).toThrow(FormatError);
  });
});

it('a missing file, a folder and endless ones are told, with the place', () => {
  const none = join(folder, 'none.txt');
  expect(() => readTextFile(none, { field: 'labels' })).toThrow(
    `${none}: labels: cannot be read (ENOENT): there is no such file`,
  );
  expect(() => readTextFile(folder)).toThrow(`${folder}: is a folder, not a file`);
  expect(() => readTextFile(join(file('x'), 'y'))).toThrow(/cannot be read \(ENOTDIR\)/);
  expect(() => readTextFile('/dev/zero')).toThrow(
    '/dev/zero: has more; a text file of at most 500 MB is read',
  );
  expect(readTextFile('/dev/null')).toBe('');
});

describe('JSON', () => {
  it.each([
    ['{"a": x}', 1, 7, "Unexpected token 'x'"],
    ['[1,\n 2,\n oops]', 3, 2, "Unexpected token 'o'"],
    ['[1,\r\n2', 2, 2, ''],
    ['', 1, 1, 'Unexpected end'],
    ['{a:1}', 1, 2, ''],
    ['[1] 2', 1, 5, ''],
    ['{"a":"b\nc"}', 1, 8, ''],
    [`["${'x'.repeat(100)}",\n\n }]`, 3, 2, "Unexpected token '}'"],
    ['{"k":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,]}', 1, 52, "Unexpected token ']'"],
  ])('%j is not, from line %i, column %i on', (text, line, column, reason) => {
    const error = (() => {
      try {
        parseJson(text, 'f.json');
      } catch (caught) {
        return caught as FormatError;
      }
      throw new Error('no error was raised');
    })();
    expect(error).toBeInstanceOf(FormatError);
    expect([error.line, error.column]).toEqual([line, column]);
    expect(error.message).toMatch(`f.json:${line}:${column}: is not JSON: ${reason}`);
    expect(error.message).not.toContain('\n');
  });

  it('is read from a file', () => {
    expect(readJsonFile(file('\ufeff{"a": [1, null]}'))).toEqual({ a: [1, null] });
    expect(() => readJsonFile(folder)).toThrow('is a folder');
  });
});
