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
});
