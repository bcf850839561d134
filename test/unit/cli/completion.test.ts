import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completionScript, shells, type Shell } from '../../../lib/cli/completion.js';
import { ristrettoCommands } from '../../../lib/cli/ristretto-commands.js';

const has = (shell: Shell) => spawnSync(shell, ['-c', 'true']).status === 0;

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'completion-'))));
afterAll(() => rmSync(folder, { recursive: true }));

/** The script for a shell, in a file. */
async function script(shell: Shell): Promise<string> {
  const path = join(folder, shell);
  writeFileSync(path, await completionScript(shell, 'ristretto', ristrettoCommands));
  return path;
}

/** What bash offers for the last of the words, which `=` takes apart as its readline does. */
async function bashOffers(line: string): Promise<string[]> {
  const words = line.split(' ').flatMap((word) => word.split(/(=)/).filter((part) => part !== ''));
  if (/[ =]$/.test(line)) words.push('');
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const program = `source ${await script('bash')}
compopt() { :; }
COMP_WORDS=(${quoted}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
_ristretto; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', program], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return stdout.split('\n').filter(Boolean);
}

describe('completion', () => {
  for (const shell of shells)
    it.skipIf(!has(shell))(`of ${shell}: a script that it can read (skipped without ${shell})`, async () => {
      const { status, stderr } = spawnSync(shell, ['-n', await script(shell)], { encoding: 'utf8' });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    });

  it.skipIf(!has('bash')).each([
    ['ristretto qu', ['quantize']],
    ['ristretto bench ', ['kernels', 'model']],
    ['ristretto quantize --model', ['--model=', '--model_quantized=']],
    ['ristretto quantize --trimming_mode=mini', ['minifloat']],
    [
      'ristretto quantize --trimming_mode ',
      ['dynamic_fixed_point', 'minifloat', 'integer_power_of_2_weights'],
    ],
    ['ristretto quantize --model=packa', ['package-lock.json', 'package.json']],
    ['ristretto quantize --model=net --log=g', ['glog']],
    ['ristretto bench model --en', ['--engine=']],
  ])('bash offers for "%s": %j', async (line, offers) => {
    expect((await bashOffers(line)).sort()).toEqual([...offers].sort());
  });

  it.skipIf(!has('fish')).each([
    ['ristretto qu', /^quantize\t/m],
    ['ristretto quantize --trimming_mode=mini', /minifloat/],
    ['ristretto bench ', /^kernels\t/m],
  ])('fish offers for "%s"', async (line, offers) => {
    const program = `source ${await script('fish')}; complete -C '${line}'`;
    const { stdout } = spawnSync('fish', ['--no-config', '-c', program], { encoding: 'utf8' });
    expect(stdout).toMatch(offers);
  });
});
