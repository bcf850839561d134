// Outputs that are inputs, by every spelling.
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refuseMeetings, sameFile } from '../../../lib/util/index.js';

let folder: string;
const at = (...names: string[]) => join(folder, ...names);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ristretto-meetings-'));
  mkdirSync(at('db'));
  mkdirSync(at('classes', 'cat'), { recursive: true });
  for (const name of ['net', 'other', 'db/data.mdb', 'classes/cat/1.png', 'classes/old.json'])
    writeFileSync(at(name), name);
  symlinkSync(at('net'), at('soft'));
  symlinkSync(at('nowhere'), at('dangling'));
  symlinkSync(folder, at('round'));
  linkSync(at('net'), at('hard'));
  linkSync(at('db/data.mdb'), at('hard.mdb'));
  linkSync(at('classes/cat/1.png'), at('hard.png'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const refuse = (output: string, input: object) =>
  refuseMeetings([{ path: output, what: '--out' }], [{ path: at('net'), what: '--in', ...input }]);

describe('refuseMeetings', () => {
  it.each([
    ['the path itself', () => at('net')],
    ['another spelling', () => `${folder}/db/.././/net`],
    ['a relative path', () => relative(process.cwd(), at('net'))],
    ['a symbolic link', () => at('soft')],
    ['a hard link', () => at('hard')],
    ['a folder that is a link', () => at('round', 'db', '..', 'net')],
  ])('refuses %s', (_, path) => {
    expect(() => refuse(path(), {})).toThrow(
      /--out is the same file as --in.*would overwrite; write elsewhere$/,
    );
  });

  it('names both where they are spelled otherwise', () => {
    expect(() => refuse(at('hard'), {})).toThrow(
      `${at('hard')}: --out is the same file as --in '${at('net')}'`,
    );
  });

  it.each([
    ['a file of a database', ['db', 'data.mdb'], 'lies in --in'],
    ['a new file in a database', ['db', 'new.json'], 'lies in --in'],
    ['a new folder in a folder that is not there yet', ['db', 'a', 'b'], 'lies in --in'],
    ['the same through a link', ['round', 'db', 'new.json'], 'lies in --in'],
    ['a hard link to a file of a database', ['hard.mdb'], `is '${'DB'}', a file of --in`],
  ])('refuses %s', (_, names, message) => {
    const text = message.replace('DB', at('db', 'data.mdb'));
    expect(() => refuse(at(...names), { path: at('db'), closed: true })).toThrow(text);
  });

  it('takes results beside class folders, none in them', () => {
    const input = { path: at('classes') };
    expect(() => refuse(at('classes', 'result.json'), input)).not.toThrow();
    // Nor when it is there from the last time.
    expect(() => refuse(at('classes', 'old.json'), input)).not.toThrow();
    expect(() => refuse(at('classes', 'cat', 'new.png'), input)).toThrow('lies in --in');
    expect(() => refuse(at('hard.png'), input)).toThrow('a file of --in');
  });

  it('looks at what a list names, where an output is there', () => {
    const listed = () => [at('gone'), at('other')];
    expect(() => refuse(at('other'), { listed })).toThrow(`is '${at('other')}', a file of --in`);
    const never = () => {
      throw new Error('not asked');
    };
    expect(() => refuse(at('new'), { listed: never })).not.toThrow();
  });

  it('refuses two outputs that are one, or one in another', () => {
    const two = (a: string, b: string) => () =>
      refuseMeetings(
        [
          { path: a, what: '--a' },
          { path: b, what: '--b' },
        ],
        [],
      );
    expect(two(at('new'), `${folder}/./new`)).toThrow('--b is the same file as --a');
    expect(two(at('soft'), at('hard'))).toThrow('--b is the same file as --a');
    expect(two(at('new'), at('new', 'inner'))).toThrow('--b lies in --a');
    expect(two(at('new'), at('newer'))).not.toThrow();
    expect(two('/dev/null', '/dev/null')).not.toThrow();
  });

  it('takes everything else', () => {
    for (const name of ['other', 'new', 'dangling', 'net/inner', 'net2'])
      expect(() => refuse(at(name), {}), name).not.toThrow();
    expect(() => refuse(at('new'), { path: at('gone') })).not.toThrow();
    expect(() => refuse('/dev/stdout', { path: '/dev/stdin' })).not.toThrow();
  });
});

it('sameFile knows a file by any name', () => {
  expect(sameFile(at('soft'), at('hard'))).toBe(true);
  expect(sameFile(at('new'), at('db', '..', 'new'))).toBe(true);
  expect(sameFile(at('net'), at('other'))).toBe(false);
});
