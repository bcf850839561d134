import { Blob } from '../blob/index.js';
import { locateError } from '../graph/build.js';
import type { NetLayer } from '../graph/index.js';
import type { PassSignals } from '../graph/pass-signals.js';
import {
  CodeTensor,
  ops,
  type ConvolutionFixedFields,
  type NativeBuffer,
  type NativeCodeTensor,
  type NativeGraph,
  type NativeStream,
  type NativeTensor,
} from '../native/index.js';
import type { CodeShape } from './code-shape.js';
import type { MemoryPlan, Stretch } from './memory-plan.js';
import type { ParameterStore } from './parameters.js';
import type { FloatSlice, Geometry, ProductStep, Step } from './steps.js';
import { bytesOf, type CodeMemory, type CodeSlice } from './storage.js';

/** The native view of some channels of a memory that lies in `buffer`. */
export function codeTensorOf(
  { memory, channel, channels, range }: CodeSlice,
  buffer: NativeBuffer,
  images: number,
): NativeCodeTensor {
  const { halo, shape, rowStride, imageStride, type } = memory;
  const first = halo.rows * rowStride + halo.columns * shape.channels + channel;
  return new CodeTensor(buffer, memory.offset + first * bytesOf(type), {
    type,
    shape: [images, shape.height, shape.width, channels],
    strides: [imageStride, rowStride, shape.channels],
    halo: [halo.rows, halo.columns],
    range: [range.low, range.high],
  });
}

/** What the op of a convolution on codes takes. */
export function productFields(
  step: ProductStep,
  parameters: ParameterStore,
  src: NativeCodeTensor,
  dst: NativeCodeTensor,
): ConvolutionFixedFields {
  const { weights, bias, packed, version } = parameters.of(step.entry);
  const { kernelH: _h, kernelW: _w, ...window } = step.geometry;
  return {
    src,
    weights,
    bias,
    dst,
    ...window,
    group: step.group,
    srcFractionalLength: step.formats.input.fractionalLength,
    weightsFractionalLength: step.formats.weights.fractionalLength,
    weightsBitWidth: step.formats.weights.bitWidth,
    output: step.formats.output,
    relu: step.relu,
    consumer: step.consumer,
    rounding: step.formats.rounding,
    packed,
    weightsVersion: version,
    label: step.entry.name,
  };
}

function poolFields({ kernelH, kernelW, strideH, strideW, padH, padW }: Geometry) {
  return {
    poolKernelH: kernelH,
    poolKernelW: kernelW,
    poolStrideH: strideH,
    poolStrideW: strideW,
    poolPadH: padH,
    poolPadW: padW,
  };
}

type Maps = Pick<CodeShape, 'height' | 'width'>;

/** One part of the batch in a float blob, under the form that codes have. */
interface FloatWindow {
  readonly blob: Blob;
  /** What was recorded; another one when the memory has moved since. */
  tensor: NativeTensor;
}

interface Recorded {
  graph: NativeGraph;
  windows: FloatWindow[];
}

/**
 * The native calls of a lowered net on memory that is placed. What runs on codes is recorded once, for all parts
 * of the batch in a row, and is one call from then on.
 */
export class Program {
  readonly #tensors = new Map<CodeMemory, Map<string, NativeCodeTensor>>();
  readonly #recorded = new Map<Stretch, Recorded>();

  constructor(
    readonly plan: MemoryPlan,
    private readonly parameters: ParameterStore,
    readonly buffer: NativeBuffer,
  ) {}

  /** Enqueues a pass, which `signals` may end early. */
  async run(stream: NativeStream, signals: PassSignals): Promise<void> {
    for (const stretch of this.plan.stretches)
      if (stretch.float) await signals.guard(() => runFloat(stretch.steps[0].entry, stream));
      else signals.guard(() => stream.launch(this.#record(stretch, stream).graph));
  }

  /** Drops what was recorded, and its hold on memory. */
  free(): void {
    for (const { graph, windows } of this.#recorded.values()) {
      graph.free();
      for (const { blob } of windows) blob.free();
    }
    this.#recorded.clear();
  }

  #record(stretch: Stretch, stream: NativeStream): Recorded {
    const known = this.#recorded.get(stretch);
    if (known?.windows.every(({ blob, tensor }) => blob.tensor() === tensor)) return known;
    const windows: FloatWindow[] = [];
    stream.beginCapture();
    let graph: NativeGraph;
    try {
      for (let part = 0; part < this.plan.parts; part++)
        for (const step of stretch.steps) {
          try {
            this.#enqueue(step, part, stream, windows);
          } catch (error) {
            throw locateError(error, step.entry.name);
          }
        }
    } finally {
      graph = stream.endCapture();
    }
    const recorded = { graph, windows };
    this.#recorded.set(stretch, recorded);
    return recorded;
  }

  #enqueue(step: Step, part: number, stream: NativeStream, windows: FloatWindow[]): void {
    const label = step.entry.name;
    const float = (slice: FloatSlice, maps: Maps): NativeTensor => {
      const window = this.#window(slice, maps, part);
      windows.push(window);
      return window.tensor;
    };
    switch (step.kind) {
      case 'convolution': {
        const fields = productFields(step, this.parameters, this.codes(step.src), this.codes(step.dst));
        if (step.pool) ops.pooledConvolutionFixed(stream, { ...fields, ...poolFields(step.pool.geometry) });
        else ops.convolutionFixed(stream, fields);
        break;
      }
      case 'quantise':
        ops.quantise(stream, {
          src: float(step.src, step.dst.memory.shape),
          dst: this.codes(step.dst),
          format: step.format,
          rounding: step.rounding,
          label,
        });
        break;
      case 'requantise':
        ops.requantise(stream, {
          src: this.codes(step.src),
          dst: this.codes(step.dst),
          srcFractionalLength: step.from.fractionalLength,
          format: step.format,
          rounding: step.rounding,
          relu: step.relu,
          label,
        });
        break;
      case 'maxPooling':
        ops.maxPoolingCodes(stream, {
          src: this.codes(step.src),
          dst: this.codes(step.dst),
          ...step.geometry,
          label,
        });
        break;
      case 'averagePooling': {
        const [, , height, width] = step.dst.blob.shape;
        ops.averagePoolingCodes(stream, {
          src: this.codes(step.src),
          dst: float(step.dst, { height, width }),
          fractionalLength: step.from.fractionalLength,
          ...step.geometry,
          label,
        });
        break;
      }
      case 'dequantise':
        ops.dequantise(stream, {
          src: this.codes(step.src),
          dst: float(step.dst, step.src.memory.shape),
          fractionalLength: step.from.fractionalLength,
          label,
        });
        break;
      case 'float':
        throw new Error('a float layer is not part of a stretch of codes');
    }
  }

  /** The native view of a part of the batch. */
  codes(slice: CodeSlice): NativeCodeTensor {
    let tensors = this.#tensors.get(slice.memory);
    if (!tensors) this.#tensors.set(slice.memory, (tensors = new Map()));
    const key = [slice.channel, slice.channels, slice.range.low, slice.range.high].join();
    let tensor = tensors.get(key);
    if (!tensor) tensors.set(key, (tensor = codeTensorOf(slice, this.buffer, this.#images(slice.memory))));
    return tensor;
  }

  #images({ shape }: CodeMemory): number {
    return this.plan.parts === 1 ? shape.images : this.plan.images;
  }

  #window({ blob, channel, channels }: FloatSlice, { height, width }: Maps, part: number): FloatWindow {
    const images = this.plan.parts === 1 ? blob.shape[0] : this.plan.images;
    const window = new Blob(blob.name, [images, channels, height, width]);
    const image = blob.countFrom(1);
    window.shareData(blob, part * images * image + channel * height * width, image);
    return { blob: window, tensor: window.tensor() };
  }
}

async function runFloat({ layer, bottom, top }: NetLayer, stream: NativeStream): Promise<void> {
  try {
    const pending = layer.forward(bottom, top, stream);
    if (pending) await pending;
  } catch (error) {
    throw locateError(error, layer.name);
  }
}
