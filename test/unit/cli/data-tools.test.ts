import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Command } from '../../../lib/cli/command.js';
import { computeImageMeanCommand } from '../../../lib/cli/commands/compute-image-mean.js';
import { convertImagesetCommand } from '../../../lib/cli/commands/convert-imageset.js';
import { testCommand } from '../../../lib/cli/commands/test.js';
import { commonOptions } from '../../../lib/cli/options.js';
import { Output } from '../../../lib/cli/output.js';
import { parseFlags } from '../../../lib/cli/parse-flags.js';
import { readBlobProto } from '../../../lib/proto/index.js';

let folder: string;
const inside = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ristretto-'));
  for (const [name, background] of [
    ['red.png', { r: 200, g: 0, b: 0 }],
    ['dark.png', { r: 100, g: 50, b: 10 }],
  ] as const)
    await sharp({ create: { width: 6, height: 4, channels: 3, background } })
      .png()
      .toFile(inside(name));
  writeFileSync(inside('list.txt'), 'red.png 1\ngone.png 5\ndark.png 2\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a command as its program would; gives the texts of its log lines, in `lines` even where it fails. */
async function run(command: Command, args: string[], lines: string[] = []): Promise<string[]> {
  const { values, positional } = parseFlags(args, { ...command.options, ...commonOptions });
  const write = vi.spyOn(process.stderr, 'write').mockImplementation((line) => {
    lines.push(
      String(line)
        .replace(/^(.)\S* \S+ +\d+ /, '$1 ')
        .trim(),
    );
    return true;
  });
  try {
    const output = new Output('glog', 'test');
    await command.run({ values, positional, output, signal: new AbortController().signal } as never);
  } finally {
    write.mockRestore();
  }
  return lines;
}

describe('convert_imageset and compute_image_mean', () => {
  it("make a database and its mean, with the original's lines", async () => {
    const flags = ['--resize_height=2', '-resize_width', '3', '--backend=lmdb', `--json=${inside('c.json')}`];
    expect(
      await run(convertImagesetCommand, [...flags, `${folder}/`, inside('list.txt'), inside('db')]),
    ).toEqual([
      'I convert_imageset.cpp:89] A total of 3 images.',
      'E io.cpp:80] Could not open or find file gone.png: cannot be read (ENOENT): there is no such file',
      'I convert_imageset.cpp:153] Processed 2 files.',
      'W ristretto.ts:0] 1 of 3 images cannot be read and are left out: gone.png; no image is left of label 5',
    ]);
    expect(JSON.parse(readFileSync(inside('c.json'), 'utf8'))).toMatchObject({
      total: 3,
      stored: 2,
      skipped: 1,
      leftOut: [{ name: 'gone.png' }],
    });
    const mean = inside('mean.binaryproto');
    expect(await run(computeImageMeanCommand, [inside('db'), mean, `--json=${inside('m.json')}`])).toEqual([
      'I compute_image_mean.cpp:70] Starting iteration',
      'I compute_image_mean.cpp:101] Processed 2 files.',
      `I compute_image_mean.cpp:108] Write to ${mean}`,
      'I compute_image_mean.cpp:114] Number of channels: 3',
      'I compute_image_mean.cpp:119] mean_value channel [0]: 5',
      'I compute_image_mean.cpp:119] mean_value channel [1]: 25',
      'I compute_image_mean.cpp:119] mean_value channel [2]: 150',
    ]);
    expect(readBlobProto(mean)).toMatchObject({ num: 1, channels: 3, height: 2, width: 3 });
    expect(JSON.parse(readFileSync(inside('m.json'), 'utf8'))).toMatchObject({
      count: 2,
      channelMeans: [5, 25, 150],
    });
  });

  it('say which argument is wrong', async () => {
    await expect(
      run(convertImagesetCommand, [folder, inside('list.txt'), inside('db2'), '--resize_width=3']),
    ).rejects.toThrow(/resize_width: is given without the other/);
    await expect(run(computeImageMeanCommand, [inside('nowhere')])).rejects.toThrow(
      /nowhere: there is no such/,
    );
  });

  it.each([
    ['compute_image_mean', computeImageMeanCommand, () => [inside('nowhere'), inside('m.binaryproto')]],
    ['convert_imageset', convertImagesetCommand, () => ['--shuffle', folder, inside('nowhere'), inside('d')]],
    ['caffe test', testCommand, () => [`--model=${inside('nowhere')}`, '--weights=w']],
  ] as const)('%s: log no work before the inputs have been found', async (_, command, args) => {
    const lines: string[] = [];
    await expect(run(command, args(), lines)).rejects.toThrow(/nowhere/);
    expect(lines.filter((line) => !line.endsWith('Use CPU.'))).toEqual([]);
  });
});
