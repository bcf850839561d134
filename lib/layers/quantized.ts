import { Blob } from '../blob/index.js';
import { layerFormatsOf, sumsCodes, type LayerFormats } from '../formats/index.js';
import {
  Layer,
  type BlobCount,
  type ForwardTrims,
  type LayerContext,
  type LayerFactory,
  type TrimmingLayer,
} from '../graph/layer.js';
import { ops, type NativeStream, type RandomStream, type TrimFormat } from '../native/index.js';
import { Phase, type LayerParameter } from '../proto/index.js';
import { fnv1a32 } from '../util/philox.js';
import { valueVersion } from './packed.js';

/** A trimmed copy of a learnable blob, and what it was made from. */
interface Trimmed {
  copy: Blob;
  madeFrom: string | null;
}

/**
 * A layer on limited-precision numbers: input, output, weights and bias of a plain layer are trimmed to the
 * formats of `quantization_param`. The bottom is never written to: the plain layer trims what it reads. Weights
 * are trimmed into copies, anew only when they have changed. In the TRAIN phase the parameters are rounded
 * stochastically at every forward pass and the activations are left alone.
 */
export class Quantized extends Layer {
  readonly plain: TrimmingLayer;
  formats!: LayerFormats;
  /** Forward passes in the TRAIN phase so far: each draws its own random words. */
  trainingForwards = 0;
  #trimmed = new Map<Blob, Trimmed>();
  #imagesSeen = 0;

  constructor(
    param: LayerParameter,
    context: LayerContext,
    makePlain: (param: LayerParameter, context: LayerContext) => TrimmingLayer,
  ) {
    super(param, context);
    this.plain = makePlain(param, context);
  }

  get bottoms(): BlobCount {
    return this.plain.bottoms;
  }
  get tops(): BlobCount {
    return this.plain.tops;
  }

  override async setup(bottom: readonly Blob[], top: readonly Blob[]): Promise<void> {
    this.formats = layerFormatsOf(this.param.quantization_param, {
      nearest: this.context.rounding,
      layer: this.name,
    });
    await this.plain.setup(bottom, top);
    this.learnable.splice(0, this.learnable.length, ...this.plain.learnable);
  }

  override reshape(bottom: readonly Blob[], top: readonly Blob[]): void {
    this.plain.reshape(bottom, top);
  }

  override async forward(bottom: readonly Blob[], top: readonly Blob[], stream: NativeStream): Promise<void> {
    const params = await this.#trimParams(stream);
    const trims: ForwardTrims = { params };
    if (this.context.phase === Phase.TEST) {
      trims.exactSums = sumsCodes(this.formats);
      trims.src = this.formats.input;
      trims.dst = this.formats.output;
      trims.srcRandom = this.#activationWords('input', bottom[0]);
      trims.dstRandom = this.#activationWords('output', top[0]);
      this.#imagesSeen += bottom[0].shape[0] ?? 1;
    } else {
      this.trainingForwards++;
    }
    this.plain.forwardTrimmed(bottom, top, stream, trims);
  }

  override fuseRelu(): boolean {
    return this.plain.fuseRelu();
  }
  override get splitsBatch(): boolean {
    // In TRAIN each call of `forward` draws new parameters: one call is one pass there.
    return this.context.phase === Phase.TEST && this.plain.splitsBatch;
  }
  override get acceptsStridedTop(): boolean {
    return this.plain.acceptsStridedTop;
  }
  override get acceptsStridedBottom(): boolean {
    return this.plain.acceptsStridedBottom;
  }
  override close(): void | Promise<void> {
    return this.plain.close();
  }

  /** Trimmed stand-ins for the learnable blobs. */
  async #trimParams(stream: NativeStream): Promise<Blob[]> {
    const { weights, bias } = this.formats;
    const parts: [Blob, TrimFormat | null, string][] = this.blobs.map((blob, index) => [
      blob,
      index === 0 ? weights : bias,
      index === 0 ? 'weights' : 'bias',
    ]);
    const made: [Trimmed, string][] = [];
    const result = parts.map(([blob, format, role]) => {
      if (!format) return blob;
      let trimmed = this.#trimmed.get(blob);
      if (!trimmed) {
        trimmed = { copy: new Blob(`${blob.name} (trimmed)`, blob.shape), madeFrom: null };
        this.#trimmed.set(blob, trimmed);
      }
      const random: RandomStream = {
        seed: this.context.seed,
        stream: fnv1a32(`${this.name}/${role}`),
        step: this.trainingForwards,
        firstElement: 0,
      };
      const rounding = this.context.phase === Phase.TRAIN ? 'stochastic' : format.rounding;
      const from = [valueVersion(blob), rounding === 'stochastic' ? random.step : ''].join(':');
      if (trimmed.madeFrom !== from) {
        trimmed.copy.reshape(blob.shape);
        trimmed.madeFrom = null;
        ops.trim(stream, {
          src: blob.tensor(),
          dst: trimmed.copy.tensor(),
          format: { ...format, rounding },
          random,
          label: this.name,
        });
        trimmed.copy.version++;
        made.push([trimmed, from]);
      }
      return trimmed.copy;
    });
    if (made.length) {
      // Until it is known that they were made, they must not pass for the weights of a later forward pass.
      await stream.sync();
      for (const [trimmed, from] of made) trimmed.madeFrom = from;
    }
    return result;
  }

  /** The words of an activation's elements: counted over all images that this layer has seen. */
  #activationWords(role: 'input' | 'output', blob: Blob): RandomStream | null {
    if (this.formats[role]?.rounding !== 'stochastic') return null;
    return {
      seed: this.context.seed,
      stream: fnv1a32(`${this.name}/${role}`),
      step: 0,
      firstElement: this.#imagesSeen * blob.countFrom(1),
    };
  }
}

/** The quantised counterpart of a plain layer. */
export function quantized(Plain: new (...args: Parameters<LayerFactory>) => TrimmingLayer): LayerFactory {
  return (param, context) => new Quantized(param, context, (p, c) => new Plain(p, c));
}
