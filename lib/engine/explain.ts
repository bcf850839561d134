import { Blob } from '../blob/index.js';
import type { Quantized } from '../layers/quantized.js';
import { ops, type NativeStream } from '../native/index.js';
import { requantiseExactly } from './definition.js';
import type { FixedParameters } from './parameters.js';
import type { ProductStep } from './steps.js';
import type { Mismatch } from './verify.js';

/** A convolution's exact sums, element by element, from codes alone. */
function exactSums({ geometry, group, formats }: ProductStep, parameters: FixedParameters, src: Blob) {
  const [, channels, height, width] = src.shape;
  const { kernelH, kernelW, strideH, strideW, padH, padW, dilationH, dilationW, spreadH, spreadW } = geometry;
  const unit = 2 ** formats.input.fractionalLength;
  const { weightCodes, biasCodes } = parameters;
  const groupChannels = channels / group;
  const outputs = weightCodes.length / (groupChannels * kernelH * kernelW);
  return ({ n, c, h, w }: { n: number; c: number; h: number; w: number }): bigint => {
    let sum = 0n;
    const first = Math.floor(c / (outputs / group)) * groupChannels;
    for (let i = 0; i < groupChannels; i++)
      for (let r = 0; r < kernelH; r++)
        for (let s = 0; s < kernelW; s++) {
          const [y, x] = [h * strideH - padH + r * dilationH, w * strideW - padW + s * dilationW];
          const [row, column] = [y / spreadH, x / spreadW];
          if (!Number.isInteger(row) || row < 0 || row >= height) continue;
          if (!Number.isInteger(column) || column < 0 || column >= width) continue;
          const code = src.data[((n * channels + first + i) * height + row) * width + column] * unit;
          sum += BigInt(code * weightCodes[((c * groupChannels + i) * kernelH + r) * kernelW + s]);
        }
    const bias = BigInt(biasCodes?.[c] ?? 0);
    // Both at the weights' fractional length plus the input's where that is not negative.
    const fl = formats.input.fractionalLength;
    return fl >= 0 ? sum + (bias << BigInt(fl)) : (sum << BigInt(-fl)) + bias;
  };
}

/** The layer's parameters as its simulation uses them. */
function trimmedParameters({ blobs, formats }: Quantized, stream: NativeStream): Blob[] {
  return blobs.map((blob, index) => {
    const trimmed = new Blob(blob.name, blob.shape);
    const format = index === 0 ? formats.weights : formats.bias;
    ops.trim(stream, { src: blob.tensor(), dst: trimmed.tensor(), format });
    return trimmed;
  });
}

/**
 * Says why the simulation of a product gave another code: where the definition, recomputed exactly, gives the
 * engine's code, and the simulation's float32 sum is not the exact one, the sum was inexact. Else it is a bug.
 */
export async function explainProduct(
  step: ProductStep,
  parameters: FixedParameters,
  src: Blob,
  stream: NativeStream,
): Promise<(mismatch: Omit<Mismatch, 'why'>) => Mismatch['why']> {
  const { formats, entry, consumer } = step;
  const sumOf = exactSums(step, parameters, src);
  const layer = entry.layer as Quantized;
  const fl = formats.weights.fractionalLength;
  const params = trimmedParameters(layer, stream);
  const bottom = new Blob(src.name, entry.bottom[0].shape);
  bottom.shareData(src);
  const sums = new Blob(`${entry.name} (sums)`, entry.top[0].shape);
  layer.plain.forwardTrimmed([bottom], [sums], stream, { params, exactSums: true });
  await stream.sync();
  const accLength = fl + Math.max(0, formats.input.fractionalLength);
  const [, channels = 1, height = 1, width = 1] = sums.shape;
  return (mismatch) => {
    const acc = sumOf(mismatch);
    let code = requantiseExactly(acc, accLength, formats.output, formats.rounding);
    if (step.relu) code = Math.max(0, code);
    if (consumer)
      code = requantiseExactly(BigInt(code), formats.output.fractionalLength, consumer, formats.rounding);
    const { n, c, h, w } = mismatch;
    const float = sums.data[((n * channels + c) * height + h) * width + w];
    const exact = Number(acc) * 2 ** -accLength;
    return code === mismatch.engine && float !== exact ? 'inexact float32 sum' : 'bug';
  };
}
