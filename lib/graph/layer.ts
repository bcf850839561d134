import type { Blob } from '../blob/index.js';
import type { NativeStream, RandomStream, Rounding, TrimFormat } from '../native/index.js';
import { NetError } from '../errors/index.js';
import type { FillerParameter, LayerParameter, Phase } from '../proto/index.js';

/** How many bottoms or tops a layer takes. */
export interface BlobCount {
  exact?: number;
  min?: number;
  max?: number;
}

/** A learnable parameter of a layer, and how it is initialised where no weights are given. */
export interface LearnableBlob {
  blob: Blob;
  filler: FillerParameter | null;
  /** Gathered by the layer itself (a mean, a count): no gradient, no learning rate, no weight decay. */
  statistic?: boolean;
}

/** One of the equal parts that a batch was cut into along axis 0, for as many nets side by side. */
export interface BatchShare {
  /** From 0, in the order of the batch. */
  index: number;
  count: number;
}

/** What a layer may know of the net that holds it. */
export interface LayerContext {
  phase: Phase;
  /** Seeds everything random in the layer (crops, mirrors, dropout, fillers). */
  seed: number;
  /** Data layers: replaces the source of their data (`--data`), where set. */
  dataSource?: string;
  /** Data layers: skip and count records that cannot be read instead of stopping. */
  skipBad?: boolean;
  /** Data layers: folder that relative sources start from; the working folder where unset. */
  baseFolder?: string;
  /** Quantised layers: rounds to nearest by this rule instead of half away from zero. */
  rounding?: Rounding;
  /** Quantised layers: trims activations in the TRAIN phase too; gradients stop where one was clipped. */
  trainActivations?: boolean;
  /**
   * Quantised layers: parameters in the TRAIN phase are rounded as their formats say (to nearest), not
   * stochastically as the original does.
   */
  trainNearest?: boolean;
  /**
   * The net sees a part of the batch: what is drawn per element must be what the whole batch would draw there. Unset
   * for a whole batch.
   */
  batchShare?: BatchShare;
  /** The net will ask for gradients: keep what the backward pass needs of the forward pass. */
  backward?: boolean;
  /** Aborts waiting work (prefetch, decoding). */
  signal?: AbortSignal;
}

/** Trims that a quantised layer asks its plain layer to fold into the forward pass. */
export interface ForwardTrims {
  src?: TrimFormat | null;
  dst?: TrimFormat | null;
  /** The random words of `src` and `dst` where they round stochastically. */
  srcRandom?: RandomStream | null;
  dstRandom?: RandomStream | null;
  /** Stand-ins for the learnable blobs, already trimmed. */
  params?: readonly Blob[];
  /** Set where sums must not round more than a plain float32 sum does. */
  exactSums?: boolean;
}

/** One layer's part in a backward pass. */
export interface BackwardPass {
  bottom: readonly Blob[];
  top: readonly Blob[];
  /** Whether the diff of each bottom is wanted; those of the others are left as they are. */
  propagateDown: readonly boolean[];
  /** Whether each top has a part in the loss: the diff of one that has none reads as zeros. */
  topHasDiff: readonly boolean[];
  /** Whether the diff of each learnable blob is wanted. */
  paramWanted: readonly boolean[];
}

/** What a layer's backward pass reads of the forward pass's values. */
export interface BackwardReads {
  bottom: boolean;
  top: boolean;
}

/** State of a layer that its next passes depend on, as JSON holds it. */
export type LayerCheckpoint = Readonly<Record<string, unknown>>;

/**
 * One layer of a net. A net calls, in this order: the constructor; `setup` once, when the bottoms have their
 * shapes; `reshape` after it and whenever a bottom's shape changes; `forward` as often as it likes. No layer
 * writes to its bottoms, except one that the net runs in place (top[0] is bottom[0]).
 */
export abstract class Layer {
  /** Learnable blobs in the order in which weights are stored. */
  readonly learnable: LearnableBlob[] = [];

  constructor(
    readonly param: LayerParameter,
    readonly context: LayerContext,
  ) {}

  get name(): string {
    return this.param.name;
  }
  get type(): string {
    return this.param.type;
  }
  /** The learnable blobs alone. */
  get blobs(): Blob[] {
    return this.learnable.map((entry) => entry.blob);
  }

  /** Elements of the whole batch before those of a blob that belong to this net's part of it. */
  protected elementsBefore(blob: Blob): number {
    return (this.context.batchShare?.index ?? 0) * blob.count;
  }

  /** Raises an error that names this layer and, where given, the prototxt's field. */
  fail(message: string, field?: string): never {
    throw new NetError(message, { layer: this.name, field });
  }

  /** How many bottoms and tops the layer takes; any number where a layer written in JavaScript leaves them out. */
  abstract readonly bottoms: BlobCount;
  abstract readonly tops: BlobCount;

  /** Reads the parameters, makes the learnable blobs. */
  setup(_bottom: readonly Blob[], _top: readonly Blob[]): void | Promise<void> {}

  /** Sets the tops' shapes from the bottoms'; takes no memory, runs nothing. */
  abstract reshape(bottom: readonly Blob[], top: readonly Blob[]): void;

  /**
   * Enqueues the work that computes the tops. A layer that must see values first awaits `stream.sync()`.
   */
  abstract forward(bottom: readonly Blob[], top: readonly Blob[], stream: NativeStream): void | Promise<void>;

  /**
   * Enqueues the work that computes the gradients of the last `forward`: overwrites the diffs of the bottoms that
   * are wanted, adds to those of the learnable blobs that are. The diff of a loss is its weight. In place, the
   * top's diff becomes the bottom's.
   */
  backward(_pass: BackwardPass, _stream: NativeStream): void | Promise<void> {
    this.fail(`a layer of type ${this.type} has no backward pass`);
  }

  /**
   * Which values of the forward pass `backward` reads: no other layer may overwrite those in place, nor this one
   * its own bottoms.
   */
  get backwardReads(): BackwardReads {
    return { bottom: true, top: true };
  }

  /** Whether bottom `index` can have a gradient at all (a label cannot): for nets that ask for all of them. */
  takesDiff(_index: number): boolean {
    return true;
  }

  /** All that the next passes depend on besides parameters and bottoms (counters, cursors); null for nothing. */
  checkpoint(): LayerCheckpoint | null {
    return null;
  }

  /**
   * Goes on from a checkpoint of the same layer, before the first `forward`. Throws for one that is not this
   * layer's.
   */
  restore(_checkpoint: LayerCheckpoint): void | Promise<void> {
    this.fail(`a layer of type ${this.type} keeps nothing between passes`);
  }

  /** Weight of top `index` in the net's loss where the prototxt sets none: 1 for a loss layer's first top. */
  defaultLossWeight(_index: number): number {
    return 0;
  }

  /** Tops that the net makes where the prototxt names fewer (loss layers). */
  get autoTopBlobs(): boolean {
    return false;
  }

  /** Whether the tops may be slices of a larger blob (a Concat written in place). */
  get acceptsStridedTop(): boolean {
    return false;
  }

  /** Whether the bottoms may be such slices. */
  get acceptsStridedBottom(): boolean {
    return false;
  }

  /**
   * Whether the net may run a batch in parts, so that activations stay in the cache: each image (entry of axis
   * 0) of the tops depends on the same image of the bottoms alone, and parts cost no more than the whole. The
   * layer is then reshaped for a part, and `forward` is called once for each.
   */
  get splitsBatch(): boolean {
    return false;
  }

  /**
   * Whether the next call of `forward` enqueues the same ops as the last one and does nothing else, as long as
   * shapes, memory and parameters stay: the net may then record them once and run them without asking again.
   * `forward` must not return a promise then.
   */
  get repeats(): boolean {
    return false;
  }

  /**
   * Asked when a ReLU without slope follows in place on top[0]: true where the layer will apply it itself
   * from now on, so that the net leaves the ReLU out.
   */
  fuseRelu(): boolean {
    return false;
  }

  /**
   * Asked where all of bottom[0] is what ReLUs without slope left in place, and no other layer reads it: true where
   * `backward` will from now on give no gradient to what is not above 0, so that the net leaves out the ReLUs'
   * own backward passes.
   */
  fuseReluGradient(): boolean {
    return false;
  }

  /** Lets go of files, threads and native memory. */
  close(): void | Promise<void> {}
}

/** A plain layer that can fold a quantised layer's trims into its forward pass. */
export interface TrimmingLayer extends Layer {
  forwardTrimmed(
    bottom: readonly Blob[],
    top: readonly Blob[],
    stream: NativeStream,
    trims: ForwardTrims,
  ): void;
  /**
   * `backward` with stand-ins for the values of the learnable blobs and of the bottoms; all diffs stay those of the
   * blobs themselves.
   */
  backwardTrimmed(
    pass: BackwardPass,
    stream: NativeStream,
    params: readonly Blob[],
    inputs: readonly Blob[],
  ): void;
}

export type LayerFactory = (param: LayerParameter, context: LayerContext) => Layer;

/** Layer types by name, as the prototxt gives them. The net is handed one; it imports none. */
export type LayerRegistry = Readonly<Record<string, LayerFactory>>;
