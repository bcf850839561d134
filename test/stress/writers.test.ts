// Every command that writes: given an output that is one of its inputs, stopped by signals, killed at any moment, run
// twice at once. Inputs stay as they were, byte for byte; outputs are the old ones or whole new ones.
// RISTRETTO_STRESS=full has all spellings and many moments; otherwise a few of each.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LmdbReader } from '../../lib/native/index.js';
import { readBlobProto, readNetBinary, readNetText, readSolverState } from '../../lib/proto/index.js';
import { run, start } from '../parity/cli.js';
import { commandLine, makeMaterials, writerCases, type WriterCase } from './writer-cases.js';

const full = process.env.RISTRETTO_STRESS === 'full';
const KILLS = full ? 20 : 2;

let top: string;
let folder: string;
let out: string;
let before: Record<string, string>;

/** Digests of all files of a folder by their path in it. */
function content(of: string): Record<string, string> {
  const files = readdirSync(of, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const digest = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
  return Object.fromEntries(
    files
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(of.length + 1), digest(path)]),
  );
}

beforeAll(async () => {
  top = mkdtempSync(join(tmpdir(), 'ristretto-writers-'));
  folder = join(top, 'in');
  out = join(top, 'out');
  mkdirSync(folder);
  await makeMaterials(folder);
  before = content(folder);
});
afterAll(() => rmSync(top, { recursive: true, force: true }));
beforeEach(() => {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
});

/** Runs of `train` leave their snapshots beside the inputs. */
function takeSnapshots(): string[] {
  const names = readdirSync(folder).filter((name) => /^\.?run[._]/.test(name));
  for (const name of names) rmSync(join(folder, name));
  return names;
}

function expectInputsIntact(): void {
  expect(content(folder)).toEqual(before);
}

/** Ways to name a file by another path. Those that make something make it in the folder of outputs. */
const spellings: Readonly<Record<string, (path: string) => string>> = {
  'its own path': (path) => path,
  'a path with . and ..': (path) => join(folder, 'folder').concat('/../.', path.slice(folder.length)),
  'a symbolic link': (path) => {
    const link = join(out, 'link');
    symlinkSync(path, link);
    return link;
  },
  'a hard link': (path) => {
    const link = join(out, 'hard');
    linkSync(path, link);
    return link;
  },
  'a link to its folder': (path) => {
    const link = join(out, 'folder');
    symlinkSync(folder, link);
    return link + path.slice(folder.length);
  },
};

const isFolder = (path: string) => statSync(path).isDirectory();

/** The file of an input that an output is aimed at. */
const fileOf = (input: string) =>
  isFolder(join(folder, input)) ? join(folder, input, 'data.mdb') : join(folder, input);

describe('an output that is also an input is refused', () => {
  let turn = 0;
  for (const writer of writerCases) {
    const files = Object.keys(writer.outputs).filter((flag) => !writer.databases?.includes(flag));
    // All pairs; the spellings take turns where not all are wanted.
    const pairs = files.flatMap((flag) => writer.inputs.map((input) => [flag, input] as const));
    const chosen = full ? pairs : pairs.filter((_, i) => i % 2 === turn % 2 || pairs.length < 3);
    turn++;
    it.skipIf(chosen.length === 0)(`${writer.name}`, async () => {
      for (const [i, [flag, input]] of chosen.entries()) {
        const names = Object.keys(spellings);
        for (const spelling of full ? names : [names[(i + turn) % names.length]]) {
          rmSync(out, { recursive: true, force: true });
          mkdirSync(out);
          const aimed = spellings[spelling](fileOf(input));
          const args = commandLine(writer, folder, out, { [flag]: aimed });
          const { code, stderr } = await run(writer.program, args);
          const what = `${flag} is ${input} by ${spelling}: ${stderr}`;
          expect(code, what).toBe(2);
          expect(stderr, what).toMatch(/the same file as|lies in|a file of/);
          expectInputsIntact();
          // Nothing but the link was made.
          expect(
            readdirSync(out).filter((name) => !['link', 'hard', 'folder'].includes(name)),
            what,
          ).toEqual([]);
        }
      }
    });
  }

  it('and so are two outputs that are one file', async () => {
    for (const writer of writerCases) {
      const flags = Object.keys(writer.outputs);
      if (flags.length < 2) continue;
      const [first, last] = [flags[0], flags.at(-1)!];
      const args = commandLine(writer, folder, out, { [last]: join(out, '.', writer.outputs[first]) });
      const { code, stderr } = await run(writer.program, args);
      expect([code, stderr], writer.name).toEqual([2, expect.stringContaining('is the same file as')]);
      expect(readdirSync(out), writer.name).toEqual([]);
    }
  });

  it('and so is a database in a database', async () => {
    for (const [name, flag] of [
      ['split_database', 'SECOND'],
      ['convert_imageset', 'DB_NAME'],
    ] as const) {
      const writer = writerCases.find((row) => row.name === name)!;
      const inside = join(folder, name === 'split_database' ? 'db' : 'list.txt', 'inner');
      const { code, stderr } = await run(
        writer.program,
        commandLine(writer, folder, out, { [flag]: inside }),
      );
      expect(code, stderr).not.toBe(0);
      expectInputsIntact();
    }
  });

  it('and so are snapshots over the weights or the state that a run starts from', async () => {
    const place = join(top, 'snapshots');
    const at = (name: string) => join(place, name);
    cpSync(folder, place, { recursive: true });
    const solver = readFileSync(join(folder, 'solver.prototxt'), 'utf8').replace(
      join(folder, 'run'),
      at('run'),
    );
    writeFileSync(at('solver.prototxt'), solver);
    copyFileSync(at('small.caffemodel'), at('run_iter_30.caffemodel'));
    copyFileSync(at('before_iter_5.solverstate'), at('run_iter_40.solverstate'));
    linkSync(at('small.caffemodel'), at('run_iter_50.caffemodel'));
    symlinkSync(at('small.caffemodel'), at('run_best.caffemodel'));
    copyFileSync(at('solver.prototxt'), at('run_iter_60.ristretto.json'));
    const was = content(place);
    for (const flags of [
      [`--weights=${at('run_iter_30.caffemodel')}`],
      [`--snapshot=${at('run_iter_40.solverstate')}`],
      [`--weights=${at('small.caffemodel')}`],
      // The last --solver counts.
      [`--weights=${join(folder, 'small.caffemodel')}`, `--solver=${at('run_iter_60.ristretto.json')}`],
      [
        `--weights=${at('small.caffemodel')}`,
        '--watch=accuracy',
        '--best',
        `--json=${at('run_iter_20.solverstate')}`,
      ],
    ]) {
      const { code, stderr } = await run('caffe', ['train', `--solver=${at('solver.prototxt')}`, ...flags]);
      expect([code, stderr], flags.join(' ')).toEqual([2, expect.stringMatching(/the same file as/)]);
      expect(content(place), flags.join(' ')).toEqual(was);
    }
    rmSync(place, { recursive: true });
  });

  it('but not weights that are called as a snapshot which is not due', async () => {
    const place = join(top, 'undue');
    mkdirSync(place);
    const at = (name: string) => join(place, name);
    const solver = readFileSync(join(folder, 'solver.prototxt'), 'utf8');
    writeFileSync(at('solver.prototxt'), solver.replace(join(folder, 'run'), at('run')));
    copyFileSync(join(folder, 'small.caffemodel'), at('run_iter_33.caffemodel'));
    const was = readFileSync(at('run_iter_33.caffemodel'));
    const args = ['train', `--solver=${at('solver.prototxt')}`, `--weights=${at('run_iter_33.caffemodel')}`];
    const { code, stderr } = await run('caffe', [...args, '--iterations=10']);
    expect(code, stderr).toBe(0);
    expect(readFileSync(at('run_iter_33.caffemodel')).equals(was)).toBe(true);
    expect(existsSync(at('run_iter_10.caffemodel'))).toBe(true);
    rmSync(place, { recursive: true });
  });

  it('but a snapshot that a run goes on from may be of its own name', async () => {
    const place = join(top, 'own');
    mkdirSync(place);
    const solver = readFileSync(join(folder, 'solver.prototxt'), 'utf8').replace(
      join(folder, 'run'),
      join(place, 'run'),
    );
    writeFileSync(join(place, 'solver.prototxt'), solver);
    const train = (...flags: string[]) =>
      run('caffe', ['train', `--solver=${join(place, 'solver.prototxt')}`, ...flags]);
    expect((await train('--iterations=10')).code).toBe(0);
    const was = readFileSync(join(place, 'run_iter_10.solverstate'));
    const { code, stderr } = await train(`--snapshot=${join(place, 'run_iter_10.solverstate')}`);
    expect(code, stderr).toBe(0);
    expect(readFileSync(join(place, 'run_iter_10.solverstate')).equals(was)).toBe(true);
    expect(readdirSync(place).filter((name) => name.startsWith('.'))).toEqual([]);
    rmSync(place, { recursive: true });
  });

  it('also of what fetch downloads', async () => {
    const json = join(out, 'net', 'deploy.prototxt');
    const { code, stderr } = await run('ristretto', [
      'fetch',
      'squeezenet_v1.0',
      join(out, 'net'),
      `--json=${json}`,
    ]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('is the same file as')]);
    expect(readdirSync(out)).toEqual([]);
  });

  it('and a download that fails leaves no folder behind', async () => {
    const { code, stderr } = await run('ristretto', [
      'fetch',
      'squeezenet_v1.0',
      join(out, 'models', 'net'),
      '--from=http://127.0.0.1:1/',
    ]);
    expect(code, stderr).toBe(1);
    expect(readdirSync(out)).toEqual([]);
  });
});

/** What a shell makes of a command line with pipes and redirections. */
function shell(line: string): { status: number | null; stdout: string; stderr: string } {
  return spawnSync('bash', ['-c', line], { encoding: 'utf8', maxBuffer: 2 ** 28 });
}

describe.runIf(process.platform !== 'win32')('pipes and open files', () => {
  const command = (...args: string[]) =>
    ['node', join(import.meta.dirname, '../../bin/ristretto.mjs'), 'quantize', ...args].join(' ');
  const rest = () => [
    '--trimming_mode=dynamic_fixed_point',
    '--iterations=1',
    '--calibration_iterations=1',
    '--threads=1',
    '--log=quiet',
  ];
  const at = (name: string) => join(folder, name);

  it('are read once and written to where they stand', () => {
    const net = at('train_val.prototxt');
    const weights = at('small.caffemodel');
    const file = join(out, 'q.prototxt');
    const plain = shell(command(`--model=${net} --weights=${weights} --model_quantized=${file}`, ...rest()));
    expect(plain.status, plain.stderr).toBe(0);
    const expected = readFileSync(file, 'utf8');
    rmSync(file);

    const piped = command(
      '--model=/dev/stdin --weights=<(cat',
      `${weights})`,
      '--model_quantized=/dev/stdout',
    );
    const pipes = shell(`cat ${net} | ${[piped, ...rest()].join(' ')} | cat`);
    expect(pipes.stdout, pipes.stderr).toBe(expected);

    const log = join(out, 'log');
    const into = command(`--model=${net} --weights=${weights} --model_quantized=/dev/fd/3`, ...rest());
    const redirected = shell(`echo before > ${log}; ${into} 3>> ${log}; echo after >> ${log}`);
    expect(readFileSync(log, 'utf8'), redirected.stderr).toBe(`before\n${expected}after\n`);
    // No journal, no lock, nothing half written.
    expect(readdirSync(out)).toEqual(['log']);
  });

  it('that cannot be written are told before the work', () => {
    const files = `--model=${at('train_val.prototxt')} --weights=${at('small.caffemodel')}`;
    const { status, stderr } = shell(command(files, '--model_quantized=/dev/fd/987', ...rest()));
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/^ristretto: \/dev\/fd\/987: .*no open file 987.*\n$/),
    ]);
  });
});

/** Where not all are wanted, those that write more than data about themselves. */
const killed = writerCases.filter(
  ({ name, outputs }) => full || Object.keys(outputs).length > 1 || name === 'train',
);

/** Reads an output with the reader of its kind: throws where it is not whole. */
function readWhole(path: string): void {
  if (isFolder(path)) {
    const reader = new LmdbReader(path);
    expect(reader.entries).toBeGreaterThan(0);
    reader.close();
  } else if (path.endsWith('.json')) JSON.parse(readFileSync(path, 'utf8'));
  else if (path.endsWith('.prototxt')) readNetText(path);
  else if (path.endsWith('.binaryproto')) readBlobProto(path);
  else if (path.endsWith('.caffemodel')) expect(readNetBinary(path).layer.length).toBeGreaterThan(0);
  else if (path.endsWith('.solverstate')) readSolverState(path);
  else if (!path.endsWith('.journal')) throw new Error(`${path} was not expected`);
}

const visible = (of: string) => readdirSync(of).filter((name) => !name.startsWith('.'));
const OLD = 'what was there before\n';

/** Old files at the places of outputs that are files; where a database is to be, nothing may be. */
function putOldOutputs(writer: WriterCase): void {
  for (const [flag, name] of Object.entries(writer.outputs))
    if (!writer.databases?.includes(flag)) writeFileSync(join(out, name), OLD);
}

describe('killed at any moment, a command leaves old outputs or whole new ones', () => {
  it.each(killed)('$name', { timeout: 60_000 * (full ? 20 : 2) }, async (writer) => {
    const args = commandLine(writer, folder, out);
    putOldOutputs(writer);
    const started = performance.now();
    expect(await run(writer.program, args)).toMatchObject({ code: 0 });
    const whole = performance.now() - started;
    takeSnapshots();
    for (let kill = 0; kill < KILLS; kill++) {
      rmSync(out, { recursive: true, force: true });
      mkdirSync(out);
      putOldOutputs(writer);
      const running = start(writer.program, args);
      // Rather late than early: most of what is written is written at the end.
      await sleep(whole * Math.sqrt(Math.random()));
      running.kill('SIGKILL');
      await running.finished;
      for (const name of visible(out))
        if (isFolder(join(out, name)) || readFileSync(join(out, name), 'utf8') !== OLD)
          readWhole(join(out, name));
      for (const name of takeSnapshots())
        if (!/^\.|\.json$/.test(name)) expect(name).toMatch(/^run_iter_\d+\.(caffemodel|solverstate)$/);
      expectInputsIntact();
    }
    // What was left, locks of a dead process among it, is in nobody's way.
    for (const flag of writer.databases ?? [])
      rmSync(join(out, writer.outputs[flag]), { recursive: true, force: true });
    const again = await run(writer.program, args);
    expect(again.code, again.stderr).toBe(0);
    expect(readdirSync(out).filter((name) => name.startsWith('.'))).toEqual([]);
    for (const name of visible(out)) readWhole(join(out, name));
    expect(takeSnapshots().filter((name) => name.startsWith('.'))).toEqual([]);
    expectInputsIntact();
  });
});

describe('stopped by a signal, a command leaves nothing half done and nothing beside it', () => {
  const long: Readonly<Record<string, string[]>> = {
    draw_imageset: ['--train=900000'],
    quantize: ['--iterations=100000'],
    train: [],
    test: ['--iterations=10000000'],
  };
  const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
  for (const [name, more] of Object.entries(long))
    for (const [signal, status] of Object.entries(signals) as [keyof typeof signals, number][])
      it(`${name}: ${signal}`, async () => {
        const writer = writerCases.find((row) => row.name === name)!;
        // Training takes two of the signals itself.
        const none = name === 'train' ? ['--sigint_effect=none', '--sighup_effect=none'] : [];
        const solver = join(top, 'long.prototxt');
        writeFileSync(
          solver,
          readFileSync(join(folder, 'solver.prototxt'), 'utf8')
            .replace('max_iter: 60', 'max_iter: 100000000 snapshot_after_train: false')
            .replace('snapshot: 10', '')
            .replace('display: 20', 'display: 1'),
        );
        const args = commandLine(writer, folder, out).map((arg) =>
          arg.startsWith('--solver=') ? `--solver=${solver}` : arg,
        );
        const running = start(writer.program, [...args, ...more, ...none]);
        if (name === 'draw_imageset') while (readdirSync(out).length < 3) await sleep(20);
        else if (name === 'quantize') while (!/Iteration|batch/i.test(running.stderr())) await sleep(20);
        else while (!/Iteration 1\b|Batch 1\b/.test(running.stderr())) await sleep(20);
        running.kill(signal);
        if (none.length > 0 && signal !== 'SIGTERM') {
          // Asked to do nothing, it does nothing.
          await sleep(300);
          running.kill('SIGTERM');
          expect((await running.finished).code).toBe(143);
        } else {
          // At once for the second time: a terminal that closes may send SIGHUP twice.
          if (full) running.kill(signal);
          expect((await running.finished).code).toBe(status);
        }
        // To go on from, and what a training that ended early says of itself.
        const whole = { quantize: ['q.prototxt.journal'], train: ['r.json'] }[name] ?? [];
        expect(readdirSync(out)).toEqual(whole);
        for (const file of whole) readWhole(join(out, file));
        expect(takeSnapshots()).toEqual([]);
        expectInputsIntact();
      });
});

describe('two runs of one output', () => {
  it('are told apart: the second is refused, and neither loses anything', async () => {
    for (const [name, flag] of [
      ['quantize', '--iterations=100000'],
      ['draw_imageset', '--train=900000'],
    ] as const) {
      const writer = writerCases.find((row) => row.name === name)!;
      rmSync(out, { recursive: true, force: true });
      mkdirSync(out);
      const args = commandLine(writer, folder, out);
      const first = start(writer.program, [...args, flag]);
      const lock = name === 'quantize' ? '.q.prototxt.lock' : '.first.lock';
      while (!existsSync(join(out, lock))) await sleep(20);
      const was = readFileSync(join(out, lock), 'utf8');
      // Not the --json of the first: that alone would be refused.
      const second = await run(writer.program, [...args, `--json=${join(out, 'other.json')}`]);
      expect(second.code).toBe(1);
      expect(second.stderr).toMatch(/: process \d+ on \S+ writes it since \S+ \(\d+ seconds?\)/);
      expect(readFileSync(join(out, lock), 'utf8')).toBe(was);
      first.kill('SIGTERM');
      expect((await first.finished).code).toBe(143);
    }
  });

  it('are told apart by their snapshots, too', async () => {
    const writer = writerCases.find((row) => row.name === 'train')!;
    const solver = join(top, 'endless.prototxt');
    const text = readFileSync(join(folder, 'solver.prototxt'), 'utf8');
    writeFileSync(
      solver,
      text.replace('max_iter: 60', 'max_iter: 100000000').replace('snapshot: 10', 'snapshot: 1000000'),
    );
    const args = commandLine(writer, folder, out).filter((arg) => !/^--(solver|json)=/.test(arg));
    const first = start('caffe', [...args, `--solver=${solver}`]);
    while (!existsSync(join(folder, '.run.snapshots.lock'))) await sleep(20);
    const second = await run('caffe', [...args, `--solver=${join(folder, 'solver.prototxt')}`]);
    expect([second.code, second.stderr]).toEqual([
      1,
      expect.stringMatching(/process \d+ on \S+ writes snapshots/),
    ]);
    first.kill('SIGKILL');
    await first.finished;
    // The one that was killed is in nobody's way.
    expect((await run('caffe', [...args, `--solver=${join(folder, 'solver.prototxt')}`])).code).toBe(0);
    expect(takeSnapshots().filter((name) => name.startsWith('.'))).toEqual([]);
    expectInputsIntact();
  });
});
