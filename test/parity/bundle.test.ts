// The bundle runs without Node, npm or any other program on the search path. Made with xz's quickest preset; with
// RISTRETTO_SLOW=1 as it is published, which also proves that it keeps within its size.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const level = process.env.RISTRETTO_SLOW === '1' ? '9e' : '0';
const possible =
  existsSync(join(root, 'build/Release/ristretto.node')) &&
  ['xz', 'tar', 'strip'].every((tool) => spawnSync(tool, ['--version'], { stdio: 'ignore' }).status === 0);

describe.skipIf(!possible)('npm run bundle', () => {
  let folder: string, bundle: string, printed: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ristretto-bundle-'));
    const archive = join(folder, 'bundle.tar.xz');
    printed = execFileSync(
      process.execPath,
      [join(root, 'scripts/bundle.mjs'), '--built', '--level', level, '--out', archive],
      { encoding: 'utf8' },
    );
    // Nothing is left of the making.
    expect(readdirSync(folder)).toEqual(['bundle.tar.xz']);
    execFileSync('tar', ['-C', folder, '-xf', archive]);
    bundle = join(
      folder,
      readdirSync(folder).find((name) => name !== 'bundle.tar.xz')!,
    );
  }, 600_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** A launcher with an empty search path and an empty environment, from a folder of its own. */
  const run = (program: string, ...args: string[]) =>
    spawnSync('/bin/sh', [join(bundle, program), ...args], {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: '/nonexistent' },
    });

  it('says what it holds and how large it is', () => {
    expect(printed).toMatch(/ MB {2}runtime$/m);
    expect(printed).toMatch(/bundle\.tar\.xz: [\d.]+ MB$/m);
  });

  it('runs the command line', () => {
    expect(run('ristretto', '--help').stdout).toContain('quantize');
    const query = run('caffe', 'device_query');
    expect([query.status, query.stderr + query.stdout]).toEqual([0, expect.stringMatching(/\S/)]);
    const net = join(bundle, 'models/SqueezeNet/deploy.prototxt');
    const time = run('caffe', 'time', `--model=${net}`, '--iterations=1');
    expect(time.stderr + time.stdout).toMatch(/Average Forward pass/);
    expect(time.status).toBe(0);
  });

  it('loads what commands import on demand', () => {
    writeFileSync(
      join(bundle, 'probe.mjs'),
      `for (const name of ['sharp', 'classic-level', 'h5wasm/node']) await import(name);
       const sharp = (await import('sharp')).default;
       const image = await sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } }).png().toBuffer();
       const { ClassicLevel } = await import('classic-level');
       const database = new ClassicLevel(process.argv[2]);
       await database.put('key', 'value');
       const { ready } = await import('h5wasm/node');
       console.log(image.length > 0, await database.get('key'), typeof (await ready).FS);
       await database.close();`,
    );
    const { stdout, stderr } = spawnSync(
      join(bundle, 'runtime/node'),
      [join(bundle, 'probe.mjs'), join(folder, 'database')],
      { encoding: 'utf8', cwd: folder, env: {} },
    );
    expect(stderr).toBe('');
    expect(stdout.trim()).toBe('true value object');
  });

  it("holds no test data, sources, or other platforms' files", () => {
    const names = readdirSync(bundle, { recursive: true, encoding: 'utf8' });
    const wrong = names.filter(
      (name) =>
        /\.(ts|cc|cpp|h|gyp|map|caffemodel|lib|dll)$|(^|\/)(test|tests)(\/|$)/.test(name) ||
        (/(^|\/)prebuilds\/[^/]+$/.test(name) && !name.includes(process.platform)),
    );
    expect(wrong).toEqual([]);
    expect(names).not.toContain(join('node_modules', 'cmake-js'));
  });
});
