import { afterEach, describe, expect, it } from 'vitest';
import type { Blob } from '../../../lib/blob/index.js';
import { Layer, type BlobCount, type LayerRegistry } from '../../../lib/graph/index.js';
import { layers } from '../../../lib/layers/index.js';
import { create, parseText, Phase, type NetParameter } from '../../../lib/proto/index.js';
import { calibrate } from '../../../lib/quantize/calibrate.js';
import { Evaluator } from '../../../lib/quantize/evaluator.js';

/** Batches of two values each: batch b holds b + 1 and -(b + 1) * 3. */
class CountingData extends Layer {
  static passes = 0;
  static open = 0;
  readonly bottoms: BlobCount = { exact: 0 };
  readonly tops: BlobCount = { exact: 1 };
  #batch = 0;
  override setup(): void {
    CountingData.open++;
  }
  override reshape(_bottom: readonly Blob[], [top]: readonly Blob[]): void {
    top.reshape([1, 1, 1, 2]);
  }
  override forward(_bottom: readonly Blob[], [top]: readonly Blob[]): void {
    CountingData.passes++;
    this.#batch++;
    top.set([this.#batch, -3 * this.#batch]);
  }
  override close(): void {
    CountingData.open--;
  }
}
const registry: LayerRegistry = { ...layers, Data: (param, context) => new CountingData(param, context) };

const net = (scale: string) =>
  parseText(
    'NetParameter',
    `layer { name: "data" type: "Data" top: "data" }
     layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 1 } }
     layer { name: "relu" type: "ReLU" bottom: "ip" top: "ip" }
     layer { name: "out" type: "Power" bottom: "ip" top: "out" power_param { scale: ${scale} } }`,
  );
const weights = (values: string, bias = 0.5): NetParameter =>
  parseText(
    'NetParameter',
    `layer { name: "ip" type: "InnerProduct"
       blobs { shape { dim: 1 dim: 2 } ${values} } blobs { shape { dim: 1 } data: ${bias} } }`,
  );
const evaluators: Evaluator[] = [];
afterEach(async () => {
  for (const evaluator of evaluators.splice(0)) await evaluator.close();
  expect(CountingData.open).toBe(0);
});
function evaluator(param: NetParameter, more = {}): Evaluator {
  const made = new Evaluator({ weights: param, registry, threads: 1, ...more });
  evaluators.push(made);
  return made;
}

describe('Evaluator', () => {
  it('runs several nets on one read of each batch, with one copy of the weights', async () => {
    CountingData.passes = 0;
    const seen: string[] = [];
    const scores = await evaluator(weights('data: 1 data: -1')).score(
      [net('1'), net('10')],
      Phase.TEST,
      3,
      (index, batch, outputs, { values }) => seen.push(`${index} ${batch} ${outputs[0].name} ${values[0]}`),
    );
    expect(CountingData.passes).toBe(3);
    // b + 3b + 0.5
    expect(seen).toEqual([
      '0 0 out 4.5',
      '1 0 out 45',
      '0 1 out 8.5',
      '1 1 out 85',
      '0 2 out 12.5',
      '1 2 out 125',
    ]);
    expect(scores.map(({ means }) => means[0])).toEqual([8.5, 85]);
  });

  it('starts every call at the first record and reports missing weights', async () => {
    const made = evaluator(weights('data: 1 data: -1'));
    const first = await made.score([net('1')], Phase.TEST, 2);
    const second = await made.score([net('1')], Phase.TEST, 2);
    expect(second).toEqual(first);
    const other = parseText(
      'NetParameter',
      'layer { name: "fc" type: "InnerProduct" blobs { shape { dim: 1 } data: 1 } }',
    );
    await expect(evaluator(other).score([net('1')], Phase.TEST, 1)).rejects.toThrow(/'ip'[\s\S]*'fc'/);
  });

  it('stops between batches when it is aborted, and lets go of everything', async () => {
    const controller = new AbortController();
    const made = evaluator(weights('data: 1 data: -1'), { signal: controller.signal });
    const run = made.score([net('1')], Phase.TEST, 1000, (_net, batch) => {
      if (batch === 4) controller.abort(new Error('enough'));
    });
    await expect(run).rejects.toThrow('enough');
  });

  it('shares parameters that are all zero instead of filling them', async () => {
    const [, scores] = await evaluator(weights('data: 0 data: 0', 0)).score(
      [net('1'), net('2')].map((param) => {
        const ip = param.layer[1].inner_product_param!;
        ip.weight_filler = parseText('FillerParameter', 'type: "constant" value: 7');
        ip.bias_filler = ip.weight_filler;
        return param;
      }),
      Phase.TEST,
      1,
    );
    expect(scores.means[0]).toBe(0);
  });
});

describe('calibrate', () => {
  it('takes maxima over all batches, after layers in place have acted, biases left out', async () => {
    const { ranges, scores } = await calibrate(evaluator(weights('data: 0.25 data: 0.75', 100)), net('1'), {
      iterations: 3,
      dropout: false,
    });
    // Outputs b / 4 - 9 b / 4 + 100: 98, 96, 94.
    expect(ranges).toEqual([{ layer: 'ip', input: 9, output: 98, parameters: 0.75 }]);
    expect(scores.batches).toHaveLength(3);
    const clipped = await calibrate(evaluator(weights('data: 0.25 data: 0.75', 0)), net('1'), {
      iterations: 2,
      dropout: false,
    });
    expect(clipped.ranges[0].output).toBe(0);
  });

  it('sees the values of fillers, as if they had been read from a file', async () => {
    const filled = net('1');
    filled.layer[1].inner_product_param!.weight_filler = create('FillerParameter', { value: 0.25 });
    const options = { iterations: 2, dropout: false };
    const missing = evaluator(create('NetParameter'), { allowMissing: true });
    const given = evaluator(weights('data: 0.25 data: 0.25', 0));
    const { ranges } = await calibrate(missing, filled, options);
    expect(ranges[0].parameters).toBe(0.25);
    expect(ranges).toEqual((await calibrate(given, filled, options)).ranges);
  });

  it('refuses NaNs with the name of the blob', async () => {
    await expect(
      calibrate(evaluator(weights('data: nan data: 1')), net('1'), { iterations: 1, dropout: false }),
    ).rejects.toThrow(/ip/);
  });
});
