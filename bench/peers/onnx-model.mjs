// A Caffe net (deploy form) with its weights as an ONNX model, so that ONNX Runtime runs the same network.
// Knows the layer types of the benchmarked nets and refuses others by name.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';

/** TensorProto.DataType by the array that holds the values. */
const DATA_TYPES = new Map([
  [Float32Array, 1],
  [Uint8Array, 2],
  [Int8Array, 3],
  [Int32Array, 6],
]);
const FLOAT = DATA_TYPES.get(Float32Array);
const attributes = {
  ints: (name, ints) => ({ name, ints, type: 7 }),
  int: (name, i) => ({ name, i, type: 2 }),
};

/** A constant of the graph; its element type is that of the typed array. */
export function initializer(name, dims, values) {
  const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { name, dims, data_type: DATA_TYPES.get(values.constructor), raw_data: raw };
}

const valueInfo = (name, dims) => ({
  name,
  type: {
    tensor_type: {
      elem_type: FLOAT,
      shape: { dim: dims.map((d) => (typeof d === 'string' ? { dim_param: d } : { dim_value: d })) },
    },
  },
});

/** First of a repeated field, or the fallback: Caffe's kernel_size, stride and pad may be given once or per axis. */
const pick = (repeated, single, fallback) => single || repeated?.[0] || fallback;

/** One row per Caffe layer type: the ONNX nodes that compute it. */
const converters = {
  Convolution(layer, weights) {
    const p = layer.convolution_param;
    const kernel = [pick(p.kernel_size, p.kernel_h), pick(p.kernel_size, p.kernel_w)];
    const pad = [pick(p.pad, p.pad_h, 0), pick(p.pad, p.pad_w, 0)];
    const blobs = weights(layer.name);
    const inputs = blobs.map((_, i) => `${layer.name}:${i}`);
    return {
      initializers: blobs.map((blob, i) => initializer(inputs[i], blob.shape, blob.data)),
      nodes: [
        {
          op_type: 'Conv',
          input: [layer.bottom[0], ...inputs],
          attribute: [
            attributes.ints('kernel_shape', kernel),
            attributes.ints('pads', [...pad, ...pad]),
            attributes.ints('strides', [pick(p.stride, p.stride_h, 1), pick(p.stride, p.stride_w, 1)]),
            attributes.int('group', p.group),
          ],
        },
      ],
    };
  },
  ReLU: (layer) => ({ nodes: [{ op_type: 'Relu', input: [layer.bottom[0]] }] }),
  Dropout: (layer) => ({ nodes: [{ op_type: 'Identity', input: [layer.bottom[0]] }] }),
  Concat: (layer) => ({
    nodes: [{ op_type: 'Concat', input: [...layer.bottom], attribute: [attributes.int('axis', 1)] }],
  }),
  Softmax: (layer) => ({
    nodes: [{ op_type: 'Softmax', input: [layer.bottom[0]], attribute: [attributes.int('axis', 1)] }],
  }),
  Pooling(layer) {
    const p = layer.pooling_param;
    const max = p.pool === 0;
    if (p.global_pooling)
      return { nodes: [{ op_type: max ? 'GlobalMaxPool' : 'GlobalAveragePool', input: [layer.bottom[0]] }] };
    const kernel = p.kernel_size || p.kernel_h;
    const pads = [p.pad, p.pad, p.pad, p.pad];
    return {
      nodes: [
        {
          op_type: max ? 'MaxPool' : 'AveragePool',
          input: [layer.bottom[0]],
          attribute: [
            attributes.ints('kernel_shape', [kernel, kernel]),
            attributes.ints('strides', [p.stride, p.stride]),
            attributes.ints('pads', pads),
            attributes.int('ceil_mode', 1),
          ],
        },
      ],
    };
  },
};

/** The learnable blobs of a trained net by layer name, as `onnxGraph` wants them. */
export function weightsOf(trained) {
  const byName = new Map(trained.layer.map((layer) => [layer.name, layer]));
  return (name) =>
    byName.get(name).blobs.map((blob) => ({
      shape: blob.shape ? [...blob.shape.dim] : [blob.num, blob.channels, blob.height, blob.width],
      data: Float32Array.from(blob.data),
    }));
}

/**
 * The nodes of a net. `blobs` says which Caffe blob each value is: an in-place layer makes a new value, of the
 * same blob.
 * @param {{layers: object[], input: string, inputShape: number[], output: string,
 *   weights: (layer: string) => {shape: number[], data: Float32Array}[]}} net
 */
export function onnxGraph(net) {
  const nodes = [];
  const initializers = [];
  const latest = new Map();
  const current = (name) => latest.get(name) ?? name;
  const blobs = new Map([[net.input, net.input]]);
  for (const layer of net.layers) {
    const convert = converters[layer.type];
    if (!convert) throw new Error(`no ONNX form for layer '${layer.name}' of type ${layer.type}`);
    const made = convert(layer, net.weights);
    for (const node of made.nodes) {
      node.name = layer.name;
      node.input = node.input.map(current);
      const top = layer.top[0];
      const name = layer.bottom.includes(top) ? `${top}/${layer.name}` : top;
      latest.set(top, name);
      blobs.set(name, top);
      node.output = [name];
      nodes.push(node);
    }
    initializers.push(...(made.initializers ?? []));
  }
  const { input, inputShape } = net;
  return { nodes, initializers, blobs, input, inputShape, output: current(net.output) };
}

const schemaOf = (root) =>
  protobuf.parse(readFileSync(join(root, 'proto', 'onnx.proto'), 'utf8'), { keepCase: true }).root;

/** A graph as an encoded model, with a free batch dimension. */
export function encodeModel({ nodes, initializers, input, inputShape, output }, root) {
  const ModelProto = schemaOf(root).lookupType('onnx.ModelProto');
  const model = {
    ir_version: 8,
    producer_name: 'ristretto',
    opset_import: [{ domain: '', version: 13 }],
    graph: {
      name: 'net',
      node: nodes,
      initializer: initializers,
      input: [valueInfo(input, ['batch', ...inputShape.slice(1)])],
      output: [{ name: output, type: { tensor_type: { elem_type: FLOAT } } }],
    },
  };
  return ModelProto.encode(ModelProto.fromObject(model)).finish();
}

/** How many nodes of each type an encoded model has. */
export function countNodes(bytes, root) {
  const counts = {};
  for (const { op_type } of schemaOf(root).lookupType('onnx.ModelProto').decode(bytes).graph.node)
    counts[op_type] = (counts[op_type] ?? 0) + 1;
  return counts;
}
