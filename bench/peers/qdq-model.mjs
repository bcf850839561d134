// An 8-bit form of an ONNX graph, as onnxruntime's own static quantiser writes it: activations are uint8 with a
// zero point and the range that calibration saw, weights int8 and symmetric, one scale per tensor, biases int32
// of scale s_x * s_w; a QuantizeLinear and a DequantizeLinear stand behind every value. A ReLU behind a
// convolution is left out: the range of its result starts at 0, so that quantising clamps.
import { initializer } from './onnx-model.mjs';

/** Node types between whose inputs and outputs values are quantised; others compute in float. */
const QUANTISED = new Set(['Conv', 'MaxPool', 'Concat', 'GlobalAveragePool', 'AveragePool']);

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** Scale and zero point that map [least, greatest], widened to hold 0, onto 0 to 255. */
function activationParameters([least, greatest]) {
  const low = Math.min(0, least);
  const scale = (Math.max(0, greatest) - low) / 255 || 1;
  return { scale, zeroPoint: clamp(Math.round(-low / scale), 0, 255) };
}

/** Takes out what has no counterpart in an inference: Identity, and a ReLU that a range stands for. */
function fold(graph) {
  const readers = new Map();
  for (const { input } of graph.nodes)
    for (const name of input) readers.set(name, (readers.get(name) ?? 0) + 1);
  const producers = new Map(graph.nodes.map((node) => [node.output[0], node]));
  const nodes = [];
  const renamed = new Map();
  for (const node of graph.nodes) {
    const input = node.input.map((name) => renamed.get(name) ?? name);
    const producer = producers.get(input[0]);
    if (node.op_type === 'Identity') renamed.set(node.output[0], input[0]);
    else if (node.op_type === 'Relu' && producer?.op_type === 'Conv' && readers.get(input[0]) === 1) {
      // The convolution now makes the ReLU's result: one name, one range.
      const folded = nodes.find(({ output }) => output[0] === input[0]);
      folded.output = [node.output[0]];
      producers.set(node.output[0], folded);
    } else nodes.push({ ...node, input });
  }
  return { ...graph, nodes, output: renamed.get(graph.output) ?? graph.output };
}

/**
 * @param graph what `onnxGraph` makes
 * @param {(blob: string) => [least: number, greatest: number]} rangeOf range of a Caffe blob's values
 */
export function quantiseGraph(graph, rangeOf) {
  const { nodes, initializers, blobs, ...rest } = fold(graph);
  const constants = new Map(initializers.map((constant) => [constant.name, constant]));
  const made = [];
  const parameters = new Map(); // by value
  const scalar = (name, values) => {
    made.push(initializer(name, [], values));
    return name;
  };
  const floats = ({ raw_data: raw }) => new Float32Array(raw.buffer, raw.byteOffset, raw.byteLength / 4);

  /** The pair that turns `raw` into `name`. */
  function pair(raw, name, { scale, zeroPoint }) {
    parameters.set(name, { scale, zeroPoint });
    const format = [
      scalar(`${name}:scale`, Float32Array.of(scale)),
      scalar(`${name}:zero_point`, Uint8Array.of(zeroPoint)),
    ];
    const code = `${name}:code`;
    return [
      {
        op_type: 'QuantizeLinear',
        name: `${name}:quantize`,
        input: [raw, ...format],
        output: [code],
      },
      {
        op_type: 'DequantizeLinear',
        name: `${name}:dequantize`,
        input: [code, ...format],
        output: [name],
      },
    ];
  }

  /** Codes of a constant, and the node that gives its values back. */
  function constant(name, codes, scale, hasZeroPoint) {
    const { dims } = constants.get(name);
    made.push(initializer(`${name}:code`, dims, codes));
    const input = [`${name}:code`, scalar(`${name}:scale`, Float32Array.of(scale))];
    if (hasZeroPoint) input.push(scalar(`${name}:zero_point`, Int8Array.of(0)));
    return { op_type: 'DequantizeLinear', name: `${name}:dequantize`, input, output: [name] };
  }

  function convolutionConstants({ input: [src, weights, bias] }) {
    const values = floats(constants.get(weights));
    const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127 || 1;
    const codes = Int8Array.from(values, (value) => clamp(Math.round(value / scale), -127, 127));
    const result = [constant(weights, codes, scale, true)];
    if (bias !== undefined) {
      const biasScale = parameters.get(src).scale * scale;
      const biasCodes = Int32Array.from(floats(constants.get(bias)), (value) =>
        Math.round(value / biasScale),
      );
      result.push(constant(bias, biasCodes, biasScale, false));
    }
    return result;
  }

  const quantised = [];
  const input = `${rest.input}:dequantized`;
  quantised.push(...pair(rest.input, input, activationParameters(rangeOf(blobs.get(rest.input)))));
  for (const node of nodes) {
    const inputs = node.input.map((name) => (name === rest.input ? input : name));
    const copy = { ...node, input: inputs };
    if (!QUANTISED.has(node.op_type)) {
      quantised.push(copy);
      continue;
    }
    if (node.op_type === 'Conv') quantised.push(...convolutionConstants(copy));
    const [name] = node.output;
    const raw = `${name}:raw`;
    quantised.push({ ...copy, output: [raw] });
    // The greatest of some codes is one of them: the format stays.
    const format =
      node.op_type === 'MaxPool' ? parameters.get(inputs[0]) : activationParameters(rangeOf(blobs.get(name)));
    quantised.push(...pair(raw, name, format));
  }
  return { ...rest, blobs, nodes: quantised, initializers: made };
}
