import { macsOf } from './describe.js';
import { slicesTouched, type Geometry, type ProductStep, type Step } from './steps.js';
import { bytesOf, type CodeMemory, type CodeSlice } from './storage.js';

/**
 * Operations on bytes that a GPU does while it moves one to or from its memory, about: an A100's 390, an H200's 410, a
 * T4's 400 by their data sheets.
 */
const OPERATIONS_PER_BYTE = 400;
/** Pixels of a tile, and of the square patch in it that windows are cut from (native/cuda/op/quantized_convolution/fixed_patches.h). */
const TILE_PIXELS = 128;
const PATCH_SIDE = 11;
/** The largest window that every tile has room for. */
const MOST_WINDOW = 64;

type PoolingStep = Extract<Step, { kind: 'maxPooling' }>;

/** Pixels that are computed for each that is pooled: neighbouring patches share some. */
function recomputed({ kernelH, kernelW, strideH, strideW }: Geometry): number {
  const along = (kernel: number, stride: number) => {
    const windows = Math.max(1, Math.floor((PATCH_SIDE - kernel) / stride) + 1);
    return ((windows - 1) * stride + kernel) / (windows * stride);
  };
  return (along(kernelH, strideH) * along(kernelW, strideW) * TILE_PIXELS) / PATCH_SIDE ** 2;
}

/** Bytes of a slice of one image. */
const bytes = ({ memory, channels }: CodeSlice) =>
  channels * memory.shape.height * memory.shape.width * bytesOf(memory.type);

/** Whether pooling in the tiles should take less time than a way to memory and back: a product has both floors. */
function pays(products: readonly ProductStep[], pooling: PoolingStep): boolean {
  const extra = recomputed(pooling.geometry);
  let apart = bytes(pooling.src) + bytes(pooling.dst);
  let fused = 0;
  for (const step of products) {
    const work = (2 * macsOf(step)) / OPERATIONS_PER_BYTE;
    const pooled = (bytes(pooling.dst) * step.dst.channels) / pooling.dst.channels;
    apart += Math.max(work, bytes(step.src) + bytes(step.dst));
    fused += Math.max(work * extra, bytes(step.src) + pooled);
  }
  return fused < apart;
}

/** The convolutions that write what a pooling reads, where nobody else touches it; null where there is another. */
function producersOf(pooling: PoolingStep, steps: readonly Step[]): ProductStep[] | null {
  const { memory, channels } = pooling.src;
  const products: ProductStep[] = [];
  for (const step of steps) {
    if (step === pooling || !slicesTouched(step).some((slice) => slice.memory === memory)) continue;
    if (step.kind !== 'convolution' || step.transposed || step.pool || step.dst.memory !== memory)
      return null;
    products.push(step);
  }
  const written = products.reduce((sum, { dst }) => sum + dst.channels, 0);
  return written === channels && channels === memory.shape.channels ? products : null;
}

/**
 * Lets convolutions pool their output themselves where maximum pooling is all that reads it, and where that pays on a
 * GPU: it finds the largest codes in the tile, so those between never leave it. Gives the steps, and the memories that
 * are needed no longer.
 */
export function fusePooling(steps: readonly Step[]): { steps: Step[]; unused: Set<CodeMemory> } {
  const replaced = new Map<Step, ProductStep | null>();
  const unused = new Set<CodeMemory>();
  for (const step of steps) {
    if (step.kind !== 'maxPooling' || step.geometry.kernelH * step.geometry.kernelW > MOST_WINDOW) continue;
    const products = producersOf(step, steps);
    if (!products || !pays(products, step)) continue;
    const { height, width } = step.src.memory.shape;
    for (const product of products) {
      const channel = step.dst.channel + product.dst.channel - step.src.channel;
      const dst: CodeSlice = { ...product.dst, memory: step.dst.memory, channel };
      replaced.set(product, { ...product, dst, pool: { geometry: step.geometry, height, width } });
    }
    replaced.set(step, null);
    unused.add(step.src.memory);
  }
  const left = steps.map((step) => (replaced.has(step) ? replaced.get(step)! : step));
  return { steps: left.filter((step) => step !== null), unused };
}
