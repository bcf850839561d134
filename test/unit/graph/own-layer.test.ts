import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as ristretto from '../../../lib/index.js';

const { Layer, Net, parseText, registry } = ristretto;
type Context = ConstructorParameters<typeof Layer>;

/** A net of one layer of type Own, made as a user without types would. */
function withLayer(make: (...given: Context) => unknown, rest = 'top: "y"') {
  return Net.create({
    param: parseText(
      'NetParameter',
      `layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 } } }
       layer { name: "own" type: "Own" bottom: "x" ${rest} }`,
    ),
    registry: { ...registry, Own: make as never },
    threads: 1,
  });
}

describe('a layer of one’s own', () => {
  it('works as docs/api.md shows it', async () => {
    const page = readFileSync(join(resolve(import.meta.dirname, '../../..'), 'docs/api.md'), 'utf8');
    const section = page.slice(page.indexOf('## Layers of your own'));
    const [, imported, code] = /```js\nimport \{(.*)\} from 'ristretto';\n([^]*?)```/.exec(section)!;
    const printed: unknown[] = [];
    const names = imported.split(',').map((name) => name.trim());
    const run = new Function('console', ...names, `return (async () => {${code}})()`) as (
      ...given: unknown[]
    ) => Promise<void>;
    await run(
      { log: (value: unknown) => printed.push(value) },
      ...names.map((name) => (ristretto as Record<string, unknown>)[name]),
    );
    expect(printed).toEqual([Float32Array.of(2, 4, 6, 8)]);
  });

  it('may leave out how many bottoms and tops it takes', async () => {
    const Bare = class extends (Layer as unknown as new (...given: Context) => object) {
      reshape(): void {}
      forward(): void {}
    };
    await (await withLayer((...given) => new Bare(...given))).close();
    await (await withLayer((...given) => new Bare(...given), 'top: "y" top: "z"')).close();
  });

  it.each([
    ['reshape', { forward() {} }],
    ['forward', { reshape() {} }],
  ])('without %s is told so when the net is made', async (method, methods) => {
    const Half = class extends (Layer as unknown as new (...given: Context) => object) {};
    Object.assign(Half.prototype, methods);
    await expect(withLayer((...given) => new Half(...given))).rejects.toThrow(
      `layer 'own': type 'Own': the registry's layer has no method '${method}'`,
    );
  });

  it.each([undefined, null, {}])('that is none (%o) is told so', async (made) => {
    await expect(withLayer(() => made)).rejects.toThrow("layer 'own': type 'Own': the registry's layer");
  });

  /** A layer as it should be, but for what is given here. */
  const faulty = (methods: object) => {
    const Own = class extends (Layer as unknown as new (...given: Context) => object) {};
    const copy = {
      reshape: ([bottom]: ristretto.Blob[], [top]: ristretto.Blob[]) => top.reshape(bottom.shape),
      forward: ([bottom]: ristretto.Blob[], [top]: ristretto.Blob[]) => top.set(bottom.toArray()),
    };
    Object.assign(Own.prototype, copy, methods);
    return (...given: Context) => new Own(...given);
  };

  it.each([
    ['a text', "'text'", 'text'],
    ['nothing', 'undefined', undefined],
    ['null', 'null', null],
    ['an object', 'an object', { why: 1 }],
  ])('that throws %s instead of an error is named', async (_what, said, thrown) => {
    const throws = (): never => {
      throw thrown;
    };
    for (const forward of [throws, () => Promise.reject(thrown as Error)]) {
      const net = await withLayer(faulty({ forward }));
      const error: unknown = await net.forward().catch((e: unknown) => e);
      expect(error).toBeInstanceOf(ristretto.NetError);
      expect((error as Error).message).toBe(`layer 'own': threw ${said}, which is no Error`);
      await net.close();
    }
    for (const method of ['setup', 'reshape'])
      await expect(withLayer(faulty({ [method]: throws }))).rejects.toThrow(`layer 'own': threw ${said}`);
    await expect(withLayer(throws)).rejects.toThrow(`layer 'own': threw ${said}`);
  });

  it('keeps the reason of a signal, whatever that is', async () => {
    const controller = new AbortController();
    const net = await withLayer(faulty({ forward: () => Promise.resolve(controller.abort('enough')) }));
    await expect(net.forward({ signal: controller.signal })).rejects.toBe('enough');
    await net.close();
  });

  it('whose close fails is named when all the rest was given back', async () => {
    for (const close of [
      () => {
        throw new Error('stuck');
      },
      () => Promise.reject(new Error('stuck')),
    ]) {
      const net = await withLayer(faulty({ close }));
      await net.forward();
      await expect(net.close()).rejects.toThrow(new ristretto.NetError('stuck', { layer: 'own' }));
      expect(net.stream.closed).toBe(true);
      await net.close();
    }
  });

  it.each([null, 'one', { exact: 'one' }, { min: 0.5 }])('with bottoms: %o is told so', async (bottoms) => {
    const make = faulty({});
    await expect(withLayer((...given) => Object.assign(make(...given), { bottoms }))).rejects.toThrow(
      "layer 'own': `bottoms` must be { exact } or { min, max }",
    );
  });

  it('that does not hand on what its constructor is given is told so', async () => {
    const Bare = class extends (Layer as unknown as new () => object) {
      reshape(): void {}
      forward(): void {}
    };
    await expect(withLayer(() => new Bare())).rejects.toThrow(
      "layer 'own': type 'Own': the layer's constructor must call super(param, context)",
    );
  });

  it('with learnable blobs that are none is told so', async () => {
    const setup = function (this: { learnable: unknown[] }) {
      this.learnable.push({ blob: [1, 2] });
    };
    await expect(withLayer(faulty({ setup }))).rejects.toThrow("layer 'own': `learnable` must be a list");
  });

  it('that stands in the registry without a function is told so', async () => {
    await expect(withLayer('Own' as never)).rejects.toThrow(
      "layer 'own': type 'Own': the registry has no function there",
    );
  });
});
