// Every file-like flag and argument of every command, given every kind of file that the programs write: each pair ends
// with a result or with one line that names the file or the flag. The pairs come from the tables of commands, so a new
// command is among them. By default a part of the pairs, in this process; all of them, each in a process of its own,
// with RISTRETTO_STRESS=full.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { caffeCommands } from '../../lib/cli/caffe-commands.js';
import type { Command, CommandRow } from '../../lib/cli/command.js';
import { execute } from '../../lib/cli/program.js';
import {
  computeImageMeanRow,
  convertImagesetRow,
  ristrettoCommands,
} from '../../lib/cli/ristretto-commands.js';
import { makeFiles, meant, meantModel } from './files.js';

const full = process.env.RISTRETTO_STRESS === 'full';
/** Of so many pairs one is tried. */
const oneOf = full ? 1 : 2;

const programs: Readonly<Record<string, readonly CommandRow[] | CommandRow>> = {
  ristretto: ristrettoCommands,
  caffe: caffeCommands,
  convert_imageset: convertImagesetRow,
  compute_image_mean: computeImageMeanRow,
};

type NamedCommand = Command & { name: string };

/** The commands of each program. */
const commandsOf: Record<string, NamedCommand[]> = {};
for (const [program, rows] of Object.entries(programs))
  commandsOf[program] = await Promise.all(
    ('load' in rows ? [rows] : rows).map(async ({ name, load }) => ({ ...(await load()), name })),
  );

/** Flags that keep a run short, where a command has them. */
const short: Readonly<Record<string, string | number>> = {
  iterations: 1,
  calibration_iterations: 1,
  threads: 1,
  seconds: 0,
  train: 2,
  test: 2,
  trimming_mode: 'dynamic_fixed_point',
};

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

let root = '';
let files: Record<string, string> = {};
const home = process.cwd();

async function runHere(program: string, args: readonly string[]): Promise<Ended> {
  const text = { out: '', err: '' };
  const spies = (['out', 'err'] as const).map((name) =>
    vi
      .spyOn(process[`std${name}`], 'write')
      .mockImplementation((part) => ((text[name] += String(part)), true)),
  );
  try {
    return { code: await execute(program, programs[program], [...args]), ...text };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

function runApart(program: string, args: readonly string[]): Ended {
  const script = resolve(import.meta.dirname, `../../bin/${program}.mjs`);
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    encoding: 'utf8',
    timeout: 120_000,
  });
  return { code: status, out: stdout, err: stderr };
}

const run = (program: string, args: readonly string[]) =>
  full ? Promise.resolve(runApart(program, args)) : runHere(program, args);

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'matrix-'));
  mkdirSync(join(root, 'files'));
  files = await makeFiles(join(root, 'files'), async (program, ...args) => {
    const { code, err } = await runHere(program, [...args, '--log=quiet']);
    if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${err}`);
  });
});
afterAll(() => {
  process.chdir(home);
  rmSync(root, { recursive: true, force: true });
});

/** A place of a command where a file is named. */
interface Place {
  program: string;
  command: NamedCommand;
  /** The flag, or the position of the argument. */
  place: string | number;
  name: string;
}

/** Flags whose text is a file's name; 'json' is written, and tried on its own below. */
function placesOf(program: string, command: NamedCommand): Place[] {
  const flags = Object.entries(command.options).flatMap(([name, { kind, value, help }]) =>
    kind === 'string' && /FILE|PATH|NETS|FOLDER/.test(`${value} ${/image|prototxt/.test(help) ? 'FILE' : ''}`)
      ? [{ program, command, place: name, name }]
      : [],
  );
  const positions = (command.arguments ?? []).map(({ name }, place) => ({ program, command, place, name }));
  return [...flags, ...positions];
}

const places = Object.entries(commandsOf).flatMap(([program, commands]) =>
  commands.flatMap((command) => placesOf(program, command)),
);

const pick = (...parts: unknown[]) =>
  createHash('sha256').update(parts.join('\n')).digest().readUInt32LE(0) % oneOf === 0;

/** The text that a flag or argument is meant to have; a path in `scratch` for what a command writes. */
function meantFor(command: NamedCommand, name: string, scratch: string): string {
  const own = name === 'model' ? meantModel[command.name] : undefined;
  const text = own ?? meant[name];
  return text === undefined ? join(scratch, `made-${name}`) : (files[text] ?? text);
}

function argsFor({ program, command, place }: Place, given: string, scratch: string): string[] {
  const single = !Array.isArray(programs[program]);
  const args = single ? [] : command.name.split(' ');
  for (const [name, row] of Object.entries(command.options)) {
    if (name === place) args.push(`--${name}=${given}`);
    else if (name in short) args.push(`--${name}=${short[name]}`);
    else if (row.required || (name === 'from' && command.name === 'fetch'))
      args.push(`--${name}=${meantFor(command, name, scratch)}`);
  }
  for (const [index, { name }] of (command.arguments ?? []).entries()) {
    if (index === place) args.push(given);
    // An image is taken as a flag or as an argument.
    else if (!(name === 'IMAGE' && place === 'image'))
      args.push(name === 'IMAGE' ? files.image : meantFor(command, name, scratch));
  }
  return [...args, `--json=${join(scratch, 'result.json')}`, '--log=quiet'];
}

function check({ code, out, err }: Ended, place: Place, args: readonly string[], given: string): void {
  const told = `${place.program} ${args.join(' ')}\n${err}${out}`;
  const lines = err.split('\n').filter((line) => line !== '' && !line.startsWith('warning: '));
  if (code === 0) {
    expect(lines, told).toEqual([]);
    expect(out, told).not.toMatch(/\bnan\b/i);
    return;
  }
  expect([1, 2], told).toContain(code);
  expect(lines.length, told).toBe(1);
  expect(lines[0], told).toMatch(new RegExp(`^${place.program}: \\S`));
  expect(lines[0], told).not.toMatch(/unexpected |undefined|\[object |\bNaN\b|\n +at /);
  const flags = args.filter((arg) => arg.startsWith('--')).map((arg) => arg.replace(/=.*/s, ''));
  const named = [
    given,
    basename(given),
    ...flags,
    ...(place.command.arguments ?? []).map(({ name }) => name),
  ];
  // A net's own files (a source in a prototxt) are named instead of the flag.
  expect(
    [...named, root].some((name) => lines[0].includes(name)),
    told,
  ).toBe(true);
}

let runs = 0;

describe.each(places)('$program $command.name, $name', (place) => {
  it('takes or refuses every kind of file', async () => {
    for (const [kind, path] of Object.entries(files)) {
      if (!pick(place.program, place.command.name, place.name, kind)) continue;
      const scratch = join(root, `run-${++runs}`);
      mkdirSync(scratch);
      // What a command writes to must not be one of the files that others are to read.
      const given = join(scratch, basename(path));
      if (existsSync(path)) cpSync(path, given, { recursive: true });
      process.chdir(scratch);
      const args = argsFor(place, given, scratch);
      const ended = await run(place.program, args);
      check(ended, place, args, given);
      const json = join(scratch, 'result.json');
      if (ended.code === 0 && existsSync(json)) {
        const text = readFileSync(json, 'utf8');
        expect(() => JSON.parse(text) as unknown, text).not.toThrow();
      }
      process.chdir(root);
      rmSync(scratch, { recursive: true, force: true });
    }
  }, 600_000);
});

describe('--json', () => {
  it.each(['hollow', 'absent/below', 'empty/below'])(
    'is refused before any work where it cannot be written: %s',
    async (name) => {
      for (const [program, command] of ['ristretto', 'caffe'].flatMap((name) =>
        commandsOf[name].map((each) => [name, each] as const),
      )) {
        const place: Place = { program, command, place: '', name: '' };
        const path = join(root, 'files', name);
        const args = argsFor(place, '', root).map((arg) =>
          arg.startsWith('--json=') ? `--json=${path}` : arg,
        );
        const ended = await runHere(program, args);
        check(ended, place, args, path);
        expect(ended.err, command.name).toMatch(/--json/);
      }
    },
  );
});
