import { NetError } from '../errors/index.js';
import type { Net } from '../graph/index.js';
import type { OutputValue, TestResult } from './events.js';
import type { TestDefinition } from './net-definitions.js';
import { outputValues } from './outputs.js';

/** A net that scores the parameters of the net in training. */
export class TestNet {
  constructor(
    readonly net: Net,
    readonly index: number,
    readonly definition: TestDefinition,
    trained: Net,
  ) {
    this.#share(trained);
  }

  /**
   * Means over the test's batches; null where `interrupted` became true on the way. What the layers made of the
   * parameters before (trimmed, packed) is made again.
   */
  async run(
    iteration: number,
    computeLoss: boolean,
    interrupted: () => boolean | Promise<boolean>,
  ): Promise<TestResult | null> {
    for (const { blob } of this.net.params) blob.version++;
    const { iterations } = this.definition;
    let sums: OutputValue[] = [];
    let loss = 0;
    for (let i = 0; i < iterations; i++) {
      if (await interrupted()) return null;
      await this.net.forward();
      if (computeLoss) loss += this.net.loss;
      const outputs = outputValues(this.net);
      if (i > 0 && outputs.length !== sums.length)
        throw new NetError(`test net ${this.index} gives ${outputs.length} values, ${sums.length} before`);
      sums =
        i === 0 ? outputs : sums.map((sum, place) => ({ ...sum, value: sum.value + outputs[place].value }));
    }
    return {
      net: this.index,
      iteration,
      outputs: sums.map((sum) => ({ ...sum, value: sum.value / iterations })),
      loss: computeLoss ? loss / iterations : null,
    };
  }

  /** The layers of the same name use the trained net's own values: nothing is copied before a test. */
  #share(trained: Net): void {
    const source = new Map(trained.layers.map(({ name, layer }) => [name, layer.blobs]));
    for (const { name, layer } of this.net.layers) {
      const blobs = source.get(name);
      if (!blobs) continue;
      if (blobs.length !== layer.blobs.length)
        layer.fail(`has ${layer.blobs.length} parameters here and ${blobs.length} in the trained net`);
      for (const [index, blob] of layer.blobs.entries()) {
        if (blob.shapeText !== blobs[index].shapeText)
          layer.fail(
            `blobs[${index}] has shape ${blob.shapeText} here and ${blobs[index].shapeText} trained`,
          );
        blob.shareData(blobs[index]);
      }
    }
  }
}
