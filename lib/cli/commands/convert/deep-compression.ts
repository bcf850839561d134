import { registry } from '../../../data/index.js';
import { NetError } from '../../../errors/index.js';
import { Net } from '../../../graph/index.js';
import { Phase, readDeepCompression, readNetText, writeNetBinary } from '../../../proto/index.js';
import { assertWritable, withOutputLock, writeFileAtomic } from '../../../util/index.js';
import { command } from '../../command.js';
import { modelOptions } from '../../options.js';
import { formatBytes, formatCount, layoutTable } from '../../table.js';

/** Types of layers that Deep Compression prunes and shares weights of. */
const COMPRESSED_TYPES = new Set(['Convolution', 'InnerProduct']);

export const convertDeepCompressionCommand = command({
  options: {
    model: {
      ...modelOptions.model,
      help: "the net's prototxt, with layers in the file's order; one without data layers needs no data",
    },
  },
  arguments: [
    { name: 'FILE', reads: ['deepCompression'], help: 'the compressed net, as compressed_SqueezeNet.net' },
    { name: 'CAFFEMODEL', writes: true, help: 'where the weights are written' },
  ],
  async run({ values, positional: [file, out], output, signal }) {
    assertWritable(out);
    const net = await Net.create({
      param: readNetText(values.model),
      registry,
      phase: Phase.TEST,
      threads: 1,
      signal,
    });
    try {
      const layers = net.layers.filter(({ layer }) => layer.learnable.length > 0);
      if (layers.length === 0) throw new NetError('has no layer with weights', { file: values.model });
      const compressed = layers.map(({ name, type, layer }) => {
        const [weights, biases] = layer.blobs;
        if (!COMPRESSED_TYPES.has(type) || layer.blobs.length !== 2)
          throw new NetError(
            `of type ${type} with ${layer.blobs.length} blobs; the file holds convolutions and inner products ` +
              'with biases',
            { file: values.model, layer: name },
          );
        return { name, weights: weights.count, biases: biases.count };
      });
      const decoded = readDeepCompression(file, compressed);
      const rows = decoded.map(({ weights, biases }, i) => {
        const { blobs } = layers[i].layer;
        blobs[0].set(weights);
        blobs[1].set(biases);
        const zeros = weights.reduce((count, value) => count + (value === 0 ? 1 : 0), 0);
        return { layer: layers[i].name, weights: weights.length, zeros };
      });
      await withOutputLock(out, async () => writeNetBinary(out, net.toProto()));
      const table = rows.map(({ layer, weights, zeros }) => [
        layer,
        String(weights),
        `${((100 * zeros) / weights).toFixed(1)} %`,
      ]);
      const total = compressed.reduce((sum, { weights, biases }) => sum + weights + biases, 0);
      output.print(layoutTable(['layer', 'weights', 'zeros'], table, [1, 2]));
      output.print(`${out}: ${formatCount(total)} parameters, ${formatBytes(4 * total)} of floats`);
      if (values.json)
        writeFileAtomic(values.json, JSON.stringify({ file, out, layers: rows }, null, 2) + '\n');
    } finally {
      await net.close();
    }
  },
});
