import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

export interface Finished {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  finished: Promise<Finished>;
  kill(signal: NodeJS.Signals): void;
  /** What it has written to stderr so far. */
  stderr(): string;
}

/** Starts a program of bin/ as a shell would. */
export function start(program: string, args: readonly string[], env: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, [join(root, 'bin', `${program}.mjs`), ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return {
    finished: new Promise((done) =>
      child.on('close', (code, signal) => done({ code, signal, stdout, stderr })),
    ),
    kill: (signal) => child.kill(signal),
    stderr: () => stderr,
  };
}

export function run(
  program: string,
  args: readonly string[],
  env?: Record<string, string>,
): Promise<Finished> {
  return start(program, args, env).finished;
}
