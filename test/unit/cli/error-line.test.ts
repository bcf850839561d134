import { afterEach, describe, expect, it, vi } from 'vitest';
import { command } from '../../../lib/cli/command.js';
import { errorLine } from '../../../lib/cli/error-line.js';
import { execute } from '../../../lib/cli/program.js';
import { FormatError, NetError, RistrettoError, UsageError } from '../../../lib/errors/index.js';
import { openSync, readdirSync, readFileSync } from 'node:fs';

function caught(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

const given = [
  { name: '--model', text: 'a/net.prototxt' },
  { name: '--weights', text: '/w/x.caffemodel,/w/y.caffemodel' },
  { name: 'DB', text: '/data' },
];

describe('errorLine', () => {
  it.each<[unknown, string]>([
    [
      new FormatError('no', { file: 'a/net.prototxt', line: 3, column: 4 }),
      'a/net.prototxt:3:4: no (--model)',
    ],
    [new FormatError('no', { file: './a/net.prototxt' }), './a/net.prototxt: no (--model)'],
    [
      new NetError('no', { file: '/w/y.caffemodel', layer: 'c' }),
      "/w/y.caffemodel: layer 'c': no (--weights)",
    ],
    [new RistrettoError('no', { file: '/data/data.mdb' }), '/data/data.mdb: no (DB)'],
    [new RistrettoError('no', { file: '/database' }), '/database: no'],
    [new RistrettoError('no (--weights)', { file: '/data' }), '/data: no (--weights)'],
    [
      new NetError('no', { layer: 'c' }),
      "layer 'c': no (--model a/net.prototxt, --weights /w/x.caffemodel,/w/y.caffemodel, DB /data)",
    ],
    [new RistrettoError('one\n  two\x1b[2J', { file: 'x\ty' }), 'x\\x09y: one two\\x1b[2J'],
    [
      new RistrettoError('no', { file: 'caf\ufffd' }),
      'caf\ufffd: no; a name there is not UTF-8: rename it, or reach it by a link',
    ],
    [
      caught(() => openSync('/data/none', 'r')),
      '/data/none: cannot be opened (ENOENT: no such file or directory) (DB)',
    ],
    [caught(() => readdirSync('/none')), '/none: cannot be read (ENOENT: no such file or directory)'],
    [
      Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'write' }),
      'cannot be written (ENOSPC: no space left on device) (--model a/net.prototxt, --weights /w/x.caffemodel,/w/y.caffemodel, DB /data)',
    ],
  ])('names file and flag: %s', (error, line) => {
    expect(errorLine(error, given)).toBe(line);
  });

  it.each<[unknown, RegExp]>([
    [caught(() => readFileSync('/')), /^cannot be read \(EISDIR: illegal operation on a directory\)$/],
    [caught(() => new Array(-1)), /^more than can be held: Invalid array length$/],
    [caught(() => new Float32Array(2 ** 53)), /^more than can be held: /],
    [caught(() => JSON.parse('{')), /^unexpected SyntaxError: .* \(RISTRETTO_DEBUG=1 shows where\)$/],
    ['text', /^text$/],
    [undefined, /^undefined$/],
  ])('makes a line of anything: %s', (error, line) => {
    expect(errorLine(error, [])).toMatch(line);
  });
});

describe('execute', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });

  async function run(error: unknown, ...argv: string[]): Promise<{ code: number; text: string }> {
    let text = '';
    vi.spyOn(process.stderr, 'write').mockImplementation((part) => ((text += String(part)), true));
    const failing = command({
      options: {
        model: { kind: 'string', value: 'FILE', help: '' },
        name: { kind: 'string', value: 'NAME', help: '' },
        mode: { kind: 'choice', choices: ['a', 'b'], help: '' },
      },
      arguments: [{ name: 'FILE', help: '', optional: true }],
      run: () => Promise.reject(error as Error),
    });
    const listeners = process.listenerCount('SIGINT');
    const code = await execute('p', { name: 'fail', summary: '', load: async () => failing }, [
      '--log=quiet',
      ...argv,
    ]);
    expect(process.listenerCount('SIGINT')).toBe(listeners);
    return { code, text };
  }

  it('ends with one line, whatever was thrown', async () => {
    expect(await run(new TypeError('x is not a function'), '--model=m', 'f')).toEqual({
      code: 1,
      text: 'p: unexpected TypeError: x is not a function (RISTRETTO_DEBUG=1 shows where) (--model m, FILE f)\n',
    });
    expect(await run(new NetError('no', { file: 'f' }), 'f')).toEqual({ code: 1, text: 'p: f: no (FILE)\n' });
    expect(await run(new UsageError('no'), '--model=m')).toEqual({ code: 2, text: 'p: no (--model m)\n' });
    expect((await run('thrown')).text).toBe('p: thrown\n');
  });

  it('names the flag that names the file best', async () => {
    const { text } = await run(
      new NetError('no', { file: 'images/list.txt' }),
      '--model=images/list.txt',
      'images',
    );
    expect(text).toBe('p: images/list.txt: no (--model)\n');
    const below = await run(new NetError('no', { file: 'a/b/c' }), '--model=a', 'a/b');
    expect(below.text).toBe('p: a/b/c: no (FILE)\n');
  });

  it('shows the place of a fault where that is asked for', async () => {
    vi.stubEnv('RISTRETTO_DEBUG', '1');
    expect((await run(new TypeError('x'))).text).toMatch(
      /^p: unexpected TypeError: .*\np: TypeError: x\n +at /,
    );
  });
});
