// Runs the programs that the stress tests watch from outside: a crash must not take the test with it.
import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** The long form, for a release or a change of the native side: RISTRETTO_STRESS=full. */
export const full = process.env.RISTRETTO_STRESS === 'full';

export interface Ended {
  code: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
}

/** Runs programs/NAME.mjs to its end; `seconds`: when it counts as hanging. */
export function runProgram(
  name: string,
  args: readonly (string | number)[],
  seconds: number,
): Promise<Ended> {
  const program = join(import.meta.dirname, 'programs', `${name}.mjs`);
  const flags = ['--expose-gc', '--max-semi-space-size=1'];
  const child = spawn(process.execPath, [...flags, program, ...args.map(String)], {
    timeout: 1000 * seconds,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((done, failed) => {
    child.on('error', failed);
    child.on('close', (code, signal) => done({ code, signal, stdout, stderr }));
  });
}
