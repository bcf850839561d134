import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readImageList } from '../../../lib/data/image-list.js';
import { FormatError } from '../../../lib/errors/index.js';
import { temporaryFolder } from './sources.js';

const folder = temporaryFolder();

function read(text: string | Uint8Array, needsLabel?: boolean): [string, number][] {
  const file = join(folder, 'list.txt');
  writeFileSync(file, text);
  return readImageList(file, { rootFolder: 'r/', layer: 'd', needsLabel }).map(({ name, label }) => [
    name,
    label,
  ]);
}

describe('a list of images', () => {
  it.each([
    ['no newline at the end', 'a.jpg 3\nb b.jpg 4'],
    ['CR LF', 'a.jpg 3\r\nb b.jpg 4\r\n'],
    ['CR', 'a.jpg 3\rb b.jpg 4\r'],
    ['empty lines', '\na.jpg 3\n\n \t\nb b.jpg 4\n\n'],
    ['blanks and tabs around', ' a.jpg 3 \n\tb b.jpg 4\t \n'],
    ['several blanks', 'a.jpg   3\nb b.jpg  4\n'],
    ['tabs', 'a.jpg\t3\nb b.jpg \t 4\n'],
    ['a byte order mark', '\ufeffa.jpg 3\nb b.jpg 4\n'],
    ['byte order marks where files were joined', '\ufeffa.jpg 3\n\ufeffb b.jpg 4\n'],
    ['signs and zeros', 'a.jpg +3\nb b.jpg 0004\n'],
  ])('with %s is read as it is meant', (_what, text) => {
    expect(read(text)).toEqual([
      ['a.jpg', 3],
      ['b b.jpg', 4],
    ]);
  });

  it('takes names of any language, and whatever a name may hold', () => {
    expect(read('ü 猫.jpg 1\na,b;c.jpg -1\nit\'s "a".jpg 2147483647\nx\ty.jpg -2147483648\n3 4\n')).toEqual([
      ['ü 猫.jpg', 1],
      ['a,b;c.jpg', -1],
      ['it\'s "a".jpg', 2147483647],
      ['x\ty.jpg', -2147483648],
      ['3', 4],
    ]);
  });

  it.each([
    [
      'a comma',
      'a.jpg 1\nb.jpg,2\n',
      /list\.txt:2:1: layer 'd': 'b\.jpg,2' has a comma between the path and the label/,
    ],
    ['a comma and a blank', 'a.jpg, 2', /:1:1: .*has a comma/],
    ['a semicolon', 'a.jpg;2', /:1:1: .*has a semicolon/],
    ['quotes', 'a.jpg 1\r\n\r\n"b b.jpg" 2\r\n', /:3:1: .*"b b\.jpg" is in quotes/],
    ['other quotes', "'b.jpg' 2", /is in quotes/],
    ['no label', 'a.jpg 1\nb.jpg\n', /:2:1: .*'b\.jpg' has no label: a line is a path, a blank or a tab/],
    ['no path', '7', /'7' has no label/],
    ['the label first', '3 a.jpg', /'3 a\.jpg' has no label/],
    ['a no-break space', 'a.jpg\u00a03', /has no label/],
    ['two labels', 'a.jpg 1\nb.jpg 1 2', /:2:1: .*more than one number/],
    ['a fraction', 'a.jpg 1.5', /label '1\.5' is not a whole number/],
    ['an exponent', 'a.jpg 1e3', /label '1e3' is not a whole number/],
    ['a label beyond int32', 'a.jpg 2147483648', /label 2147483648 is outside -2147483648 to 2147483647/],
    ['a label far below', `a.jpg -${'9'.repeat(500)}`, /label -9+… is outside/],
    ['nothing', '\n\n', /list\.txt: layer 'd': lists no images/],
    ['UTF-16', Buffer.from('\ufeffa.jpg 1\n', 'utf16le'), /list\.txt: layer 'd': is UTF-16/],
    ['Latin-1', Buffer.from('a.jpg 1\n\xfc.jpg 2\n', 'latin1'), /list\.txt:2:1: layer 'd': is not UTF-8/],
  ])('with %s is refused, with the line', (_what, text, message) => {
    expect(() => read(text)).toThrow(message);
    expect(() => read(text)).toThrow(FormatError);
  });

  it('may leave labels out where none are asked for', () => {
    expect(read('a.jpg\nb b.jpg\nc.jpg 5\n', false)).toEqual([
      ['a.jpg', 0],
      ['b b.jpg', 0],
      ['c.jpg', 5],
    ]);
    expect(() => read('a.jpg,5', false)).toThrow(/has a comma/);
  });
});
