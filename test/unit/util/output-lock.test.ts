import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keepTemporary, lockOutput, temporaryFor, writeFileAtomic } from '../../../lib/util/index.js';

let folder: string;
const at = (name: string) => join(folder, name);
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'ristretto-lock-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The content of a lock that this process takes, with some of it changed. */
function holder(more: object): string {
  const lock = lockOutput(at('sample'));
  const held = JSON.parse(readFileSync(at('.sample.lock'), 'utf8')) as object;
  lock.release();
  return `${JSON.stringify({ ...held, ...more })}\n`;
}

/** A process that has ended. */
const deadPid = () => spawnSync(process.execPath, ['-e', '']).pid;

describe('lockOutput', () => {
  it('says who holds an output and since when, and lets go of it', () => {
    const lock = lockOutput(at('out'));
    const held = JSON.parse(readFileSync(at('.out.lock'), 'utf8')) as Record<string, unknown>;
    expect(held).toMatchObject({ pid: process.pid, host: hostname() });
    expect(() => lockOutput(at('out'))).toThrow(
      new RegExp(
        `^${at('out')}: this process itself writes it since ${String(held.since)} \\(\\d+ seconds?\\): wait`,
      ),
    );
    lock.release();
    expect(readdirSync(folder)).toEqual([]);
    lockOutput(at('out')).release();
  });

  it('is one for all names of an output', () => {
    writeFileSync(at('out'), '');
    symlinkSync(at('out'), at('link'));
    const lock = lockOutput(at('link'));
    expect(() => lockOutput(at('./out'))).toThrow('writes it');
    lock.release();
  });

  it('is refused where another process has it, and taken over when that has ended', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    await new Promise((done) => child.on('spawn', done));
    // Start times are known on Linux alone.
    const started =
      process.platform === 'linux'
        ? readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1].split(' ')[19]
        : '';
    writeFileSync(at('.out.lock'), holder({ pid: child.pid, started, since: '2020-02-03T04:05:06.000Z' }));
    writeFileSync(at(`.out.${child.pid}.0123abcd.tmp`), 'half');
    writeFileSync(at(`.out2.${child.pid}.0123abcd.tmp`), "another's");
    expect(() => lockOutput(at('out'))).toThrow(
      new RegExp(
        `process ${child.pid} on ${hostname()} writes it since 2020-02-03T04:05:06.000Z \\(\\d+ days\\)`,
      ),
    );
    const ended = new Promise((done) => child.on('exit', done));
    child.kill('SIGKILL');
    await ended;
    const lock = lockOutput(at('out'));
    expect(JSON.parse(readFileSync(at('.out.lock'), 'utf8'))).toMatchObject({ pid: process.pid });
    // What it left half written goes with it; of other outputs nothing does.
    expect(readdirSync(folder).sort()).toEqual(['.out.lock', `.out2.${child.pid}.0123abcd.tmp`]);
    lock.release();
  });

  it.runIf(process.platform === 'linux')(
    'knows an id that was given to another process, and a restart',
    () => {
      for (const more of [{ started: '1' }, { boot: 'another' }]) {
        writeFileSync(at('.out.lock'), holder(more));
        lockOutput(at('out')).release();
      }
      writeFileSync(at('.out.lock'), holder({ pid: deadPid() }));
      lockOutput(at('out')).release();
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  it('cannot tell of another host, and says what to do', () => {
    writeFileSync(at('.out.lock'), holder({ host: 'elsewhere', pid: deadPid() }));
    expect(() => lockOutput(at('out'))).toThrow(
      /on elsewhere writes it.*if it has ended.*remove .*\.out\.lock$/,
    );
  });

  it('waits for one that is just being written, and takes over one that never was', () => {
    writeFileSync(at('.out.lock'), '');
    expect(() => lockOutput(at('out'))).toThrow('about to write it');
    utimesSync(at('.out.lock'), 1, 1);
    lockOutput(at('out')).release();
    expect(existsSync(at('.out.lock'))).toBe(false);
  });

  it('leaves what is no lock where it is, and does not wait for a link to nothing', () => {
    writeFileSync(at('.out.lock'), 'my own file');
    utimesSync(at('.out.lock'), 1, 1);
    expect(() => lockOutput(at('out'))).toThrow(/\.out\.lock is in the way, which is no lock/);
    expect(readFileSync(at('.out.lock'), 'utf8')).toBe('my own file');
    writeFileSync(at('.out.lock'), holder({ pid: 0 }));
    utimesSync(at('.out.lock'), 1, 1);
    lockOutput(at('out')).release();
    symlinkSync(at('gone'), at('.link.lock'));
    expect(() => lockOutput(at('link'))).toThrow(/link: cannot be written: its lock file .*ENOENT/);
  });

  it('takes away what a process left that was killed before it had the lock', () => {
    const own = temporaryFor(at('.out.lock'));
    const left = basename(own).replace(`.${process.pid}.`, `.${deadPid()}.`);
    writeFileSync(at(left), '');
    writeFileSync(own, '');
    lockOutput(at('out')).release();
    expect(readdirSync(folder)).toEqual([basename(own)]);
    keepTemporary(own);
  });

  it('has a name that fits, whatever the output is called', () => {
    for (const name of ['a'.repeat(255), 'ü'.repeat(120) + 'b'.repeat(15)]) {
      const lock = lockOutput(at(name), 'snapshots');
      const other = lockOutput(at(name.slice(0, -1) + 'c'), 'snapshots');
      expect(readdirSync(folder)).toHaveLength(2);
      writeFileAtomic(at(name), 'x');
      lock.release();
      other.release();
      expect(readdirSync(folder)).toEqual([name]);
      rmSync(at(name));
    }
  });

  it('is shared by those of one thread that write snapshots of one name', () => {
    const [a, b] = [lockOutput(at('net'), 'snapshots'), lockOutput(at('net'), 'snapshots')];
    a.release();
    expect(existsSync(at('.net.snapshots.lock'))).toBe(true);
    b.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('leaves devices alone, and names a folder that is not there', () => {
    lockOutput('/dev/null').release();
    expect(() => lockOutput(at('gone/out'))).toThrow(/gone\/out: cannot be written: .*ENOENT/);
  });
});
