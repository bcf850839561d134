import {
  chmodSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RistrettoError } from '../../../lib/errors/index.js';
import { assertWritable, lockOutput, writeFileAtomic } from '../../../lib/util/index.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ristretto-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('writeFileAtomic', () => {
  it('writes texts, bytes and streams, over an older file too', () => {
    const path = join(folder, 'a');
    writeFileAtomic(path, 'text ü');
    expect(readFileSync(path, 'utf8')).toBe('text ü');
    writeFileAtomic(path, Uint8Array.of(1, 2));
    expect([...readFileSync(path)]).toEqual([1, 2]);
    writeFileAtomic(path, (sink) => {
      sink.write(Buffer.from('one '));
      sink.write(Buffer.from('two'));
    });
    expect(readFileSync(path, 'utf8')).toBe('one two');
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it('leaves the old file and no rest when the content fails half way', () => {
    const path = join(folder, 'a');
    writeFileSync(path, 'old');
    expect(() =>
      writeFileAtomic(path, (sink) => {
        sink.write(Buffer.from('half'));
        throw new Error('stop');
      }),
    ).toThrow('stop');
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it('writes through symbolic links and into devices', () => {
    const path = join(folder, 'a');
    writeFileSync(path, 'old');
    symlinkSync(path, join(folder, 'link'));
    writeFileAtomic(join(folder, 'link'), 'new');
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect(lstatSync(join(folder, 'link')).isSymbolicLink()).toBe(true);
    writeFileAtomic('/dev/null', 'x');
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  it('makes what a link names that is not there yet', () => {
    mkdirSync(join(folder, 'real'));
    symlinkSync('real/new', join(folder, 'link'));
    writeFileAtomic(join(folder, 'link'), 'x');
    expect(lstatSync(join(folder, 'link')).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(folder, 'real', 'new'), 'utf8')).toBe('x');
    symlinkSync('b', join(folder, 'a'));
    symlinkSync('a', join(folder, 'b'));
    expect(() => writeFileAtomic(join(folder, 'a', 'c'), 'x')).toThrow(/cannot be written \(ELOOP\)/);
  });

  it.runIf(existsSync('/dev/fd'))(
    'writes where an open file of the process stands, and replaces none',
    () => {
      const path = join(folder, 'log');
      writeFileSync(path, 'before\n');
      const descriptor = openSync(path, 'a');
      symlinkSync(`/dev/fd/${descriptor}`, join(folder, 'link'));
      for (const name of [`/dev/fd/${descriptor}`, join(folder, 'link')]) {
        assertWritable(name);
        lockOutput(name).release();
        writeFileAtomic(name, 'x\n');
      }
      closeSync(descriptor);
      expect(readFileSync(path, 'utf8')).toBe('before\nx\nx\n');
      expect(readdirSync(folder).sort()).toEqual(['link', 'log']);
      expect(() => assertWritable('/dev/fd/987')).toThrow('no open file 987');
    },
  );

  it('names the file where it cannot write', () => {
    const path = join(folder, 'none', 'a');
    expect(() => writeFileAtomic(path, '')).toThrow(RistrettoError);
    expect(() => writeFileAtomic(path, '')).toThrow(/none\/a: cannot be written \(ENOENT\)/);
  });
});

describe('assertWritable', () => {
  it('accepts a new and an old file, and makes none', () => {
    assertWritable(join(folder, 'new'));
    expect(readdirSync(folder)).toEqual([]);
  });

  it('refuses a missing folder, a file as folder, and a folder as file', () => {
    writeFileSync(join(folder, 'file'), '');
    mkdirSync(join(folder, 'sub'));
    expect(() => assertWritable(join(folder, 'none', 'a'))).toThrow(/does not exist/);
    expect(() => assertWritable(join(folder, 'file', 'a'))).toThrow(/is not a folder/);
    expect(() => assertWritable(join(folder, 'sub'))).toThrow(/it is a folder/);
  });

  it.skipIf(process.getuid?.() === 0)(
    'refuses a folder without permission (skipped for root, who may)',
    () => {
      chmodSync(folder, 0o500);
      expect(() => assertWritable(join(folder, 'a'))).toThrow(/no permission/);
      chmodSync(folder, 0o700);
    },
  );
});
