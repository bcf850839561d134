import { Blob } from '../blob/index.js';
import {
  innerRange,
  layerFormatsOf,
  representableRange,
  sumsCodes,
  type LayerFormats,
} from '../formats/index.js';
import {
  Layer,
  type BackwardPass,
  type BackwardReads,
  type BlobCount,
  type ForwardTrims,
  type LayerCheckpoint,
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
 * stochastically at every forward pass and the activations are left alone, unless the context says otherwise: with
 * trimmed activations, no gradient goes through a value that was clipped.
 */
export class Quantized extends Layer {
  readonly plain: TrimmingLayer;
  formats!: LayerFormats;
  /** Forward passes in the TRAIN phase so far: each draws its own random words. */
  trainingForwards = 0;
  #trimmed = new Map<Blob, Trimmed>();
  #imagesSeen = 0;
  /** What the last forward pass computed with. */
  #lastParams: readonly Blob[] = [];
  #lastInputWords: RandomStream | null = null;
  /** The bottoms as the last forward pass read them, made anew for the backward pass. */
  readonly #trimmedBottoms: Blob[] = [];

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

  override forward(
    bottom: readonly Blob[],
    top: readonly Blob[],
    stream: NativeStream,
  ): void | Promise<void> {
    const { params, made } = this.#trimParams(stream);
    const run = () => this.#forwardTrimmed(bottom, top, stream, params);
    if (made.length === 0) return run();
    // Until it is known that they were made, they must not pass for the weights of a later forward pass.
    return stream.sync().then(() => {
      for (const [trimmed, from] of made) trimmed.madeFrom = from;
      run();
    });
  }

  /** With trimmed parameters at hand and nothing drawn, a pass is the plain layer's ops. */
  override get repeats(): boolean {
    const { input, output } = this.formats;
    return (
      this.context.phase === Phase.TEST &&
      input?.rounding !== 'stochastic' &&
      output?.rounding !== 'stochastic' &&
      this.#parameterParts().every(
        ([blob, format]) =>
          !format ||
          (format.rounding !== 'stochastic' && this.#trimmed.get(blob)?.madeFrom === this.#sourceOf(blob)),
      ) &&
      this.plain.repeats
    );
  }

  #forwardTrimmed(
    bottom: readonly Blob[],
    top: readonly Blob[],
    stream: NativeStream,
    params: readonly Blob[],
  ): void {
    const trims: ForwardTrims = { params };
    if (this.context.phase === Phase.TRAIN) this.trainingForwards++;
    if (this.#trimsActivations) {
      trims.exactSums = sumsCodes(this.formats);
      trims.src = this.formats.input;
      trims.dst = this.formats.output;
      trims.srcRandom = this.#activationWords('input', bottom[0]);
      trims.dstRandom = this.#activationWords('output', top[0]);
      this.#imagesSeen += (bottom[0].shape[0] ?? 1) * (this.context.batchShare?.count ?? 1);
    }
    this.#lastParams = params;
    this.#lastInputWords = trims.srcRandom ?? null;
    this.plain.forwardTrimmed(bottom, top, stream, trims);
  }

  /**
   * Trims pass gradients through as they are, but for activations clipped in TRAIN: those of the parameters are the
   * shadow values'.
   */
  override backward(pass: BackwardPass, stream: NativeStream): void {
    const { bottom, top, propagateDown, topHasDiff, paramWanted } = pass;
    const { input, output } = this.formats;
    // Only the gradients of the weights read the bottoms.
    const inputs =
      this.#trimsActivations && input && paramWanted[0] ? this.#trimBottoms(bottom, stream) : bottom;
    // What lay outside of the range before the trim lies at an end of it now.
    if (this.#clipsGradients && output)
      for (const [index, blob] of top.entries())
        if (topHasDiff[index]) this.#keepDiffWithin(innerRange(output), blob, stream);
    this.plain.backwardTrimmed(pass, stream, this.#lastParams, inputs);
    if (this.#clipsGradients && input)
      for (const [index, blob] of bottom.entries())
        if (propagateDown[index]) this.#keepDiffWithin(representableRange(input), blob, stream);
  }

  /** Where gradients stop at clipped outputs, nobody may overwrite the top: a ReLU then gets a blob of its own. */
  override get backwardReads(): BackwardReads {
    const { bottom, top } = this.plain.backwardReads;
    return { bottom, top: top || this.#clipsGradients };
  }

  override checkpoint(): LayerCheckpoint {
    return { trainingForwards: this.trainingForwards, imagesSeen: this.#imagesSeen };
  }

  override restore({ trainingForwards, imagesSeen }: LayerCheckpoint): void {
    const isCount = (value: unknown): value is number =>
      Number.isSafeInteger(value) && (value as number) >= 0;
    if (!isCount(trainingForwards) || !isCount(imagesSeen))
      this.fail('the checkpoint is not one of a quantised layer');
    this.trainingForwards = trainingForwards;
    this.#imagesSeen = imagesSeen;
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
    for (const { copy } of this.#trimmed.values()) copy.free();
    for (const copy of this.#trimmedBottoms) copy.free();
    return this.plain.close();
  }

  get #clipsGradients(): boolean {
    return this.context.phase === Phase.TRAIN && this.context.trainActivations === true;
  }

  get #trimsActivations(): boolean {
    return this.context.phase === Phase.TEST || this.#clipsGradients;
  }

  /** Sets a blob's diff to 0 where its value is outside of a range. */
  #keepDiffWithin(
    { least, greatest }: { least: number; greatest: number },
    blob: Blob,
    stream: NativeStream,
  ): void {
    ops.unaryGradient(stream, {
      values: blob.tensor(),
      dstDiff: blob.diffTensor(),
      srcDiff: blob.diffTensor(),
      function: 'clip',
      a: least,
      b: greatest,
      label: this.name,
    });
  }

  /** Stand-ins for the bottoms, with the values that the last forward pass trimmed them to. */
  #trimBottoms(bottom: readonly Blob[], stream: NativeStream): Blob[] {
    return bottom.map((blob, index) => {
      const copy = (this.#trimmedBottoms[index] ??= new Blob(`${blob.name} (trimmed)`));
      copy.reshape(blob.shape);
      const words = this.#lastInputWords;
      ops.trim(stream, {
        src: blob.tensor(),
        dst: copy.tensor(),
        format: this.formats.input,
        // Each bottom has words of its own, as in the forward pass.
        random: words && { ...words, stream: (words.stream + index) >>> 0 },
        label: this.name,
      });
      return copy;
    });
  }

  #parameterParts(): (readonly [blob: Blob, format: TrimFormat | null, role: 'weights' | 'bias'])[] {
    const { weights, bias } = this.formats;
    return this.blobs.map((blob, index) => (index === 0 ? [blob, weights, 'weights'] : [blob, bias, 'bias']));
  }

  /** What a trimmed copy is made from: the values' version and, where words are drawn, the pass. */
  #sourceOf(blob: Blob, step?: number): string {
    return `${valueVersion(blob)}:${step ?? ''}`;
  }

  /** Trimmed stand-ins for the learnable blobs, and those among them that were enqueued to be made just now. */
  #trimParams(stream: NativeStream): { params: Blob[]; made: [Trimmed, string][] } {
    const made: [Trimmed, string][] = [];
    const params = this.#parameterParts().map(([blob, format, role]) => {
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
      const drawn = this.context.phase === Phase.TRAIN && !this.context.trainNearest;
      const rounding = drawn ? 'stochastic' : format.rounding;
      const from = this.#sourceOf(blob, rounding === 'stochastic' ? random.step : undefined);
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
    return { params, made };
  }

  /** The words of an activation's elements: counted over all images of the batches that this layer has seen. */
  #activationWords(role: 'input' | 'output', blob: Blob): RandomStream | null {
    if (this.formats[role]?.rounding !== 'stochastic') return null;
    return {
      seed: this.context.seed,
      stream: fnv1a32(`${this.name}/${role}`),
      step: 0,
      firstElement: this.#imagesSeen * blob.countFrom(1) + this.elementsBefore(blob),
    };
  }
}

/** The quantised counterpart of a plain layer. */
export function quantized(Plain: new (...args: Parameters<LayerFactory>) => TrimmingLayer): LayerFactory {
  return (param, context) => new Quantized(param, context, (p, c) => new Plain(p, c));
}
