// Small quantised nets as prototxt: layers by one line each.
import { Net } from '../../../lib/graph/index.js';
import { registry } from '../../../lib/data/index.js';
import { parseText, Phase, type NetParameter } from '../../../lib/proto/index.js';

/** A format written 'bits.fractionalLength': '8.3', '8.-2'. */
export interface Formats {
  in?: string;
  out?: string;
  params?: string;
}

function quantization({ in: input = '8.3', out = '8.3', params = '8.6' }: Formats, rest = ''): string {
  const field = (text: string, width: string, length: string) => {
    const [bits, fl] = text.split('.');
    return `${width}: ${bits} ${length}: ${fl}`;
  };
  return `quantization_param { ${field(input, 'bw_layer_in', 'fl_layer_in')}
    ${field(out, 'bw_layer_out', 'fl_layer_out')} ${field(params, 'bw_params', 'fl_params')} ${rest} }`;
}

const fillers = 'weight_filler { type: "gaussian" std: 0.4 } bias_filler { type: "uniform" min: -1 max: 1 }';

export const input = (name: string, ...dims: number[]) =>
  `layer { name: "${name}" type: "Input" top: "${name}" input_param { shape { ${dims.map((d) => `dim: ${d}`).join(' ')} } } }`;

export const conv = (
  name: string,
  bottom: string,
  outputs: number,
  kernel: number,
  formats: Formats = {},
  { rest = '', quantised = '', type = 'ConvolutionRistretto' } = {},
) => `layer { name: "${name}" type: "${type}" bottom: "${bottom}" top: "${name}" ${quantization(formats, quantised)}
  convolution_param { num_output: ${outputs} kernel_size: ${kernel} ${rest || `pad: ${(kernel - 1) / 2}`} ${fillers} } }`;

export const fc = (name: string, bottom: string, outputs: number, formats: Formats = {}) =>
  `layer { name: "${name}" type: "FcRistretto" bottom: "${bottom}" top: "${name}" ${quantization(formats)}
    inner_product_param { num_output: ${outputs} ${fillers} } }`;

/** In place. */
export const relu = (blob: string) =>
  `layer { name: "relu_${blob}" type: "ReLU" bottom: "${blob}" top: "${blob}" }`;

export const pool = (name: string, bottom: string, rest: string) =>
  `layer { name: "${name}" type: "Pooling" bottom: "${bottom}" top: "${name}" pooling_param { ${rest} } }`;

export const concat = (name: string, ...bottoms: string[]) => layer(name, 'Concat', bottoms);

export function layer(name: string, type: string, bottoms: string[], rest = ''): string {
  return `layer { name: "${name}" type: "${type}" ${bottoms.map((b) => `bottom: "${b}"`).join(' ')} top: "${name}" ${rest} }`;
}

export function parse(...layers: string[]): NetParameter {
  return parseText('NetParameter', layers.join('\n'));
}

/** The net's layers, built and connected. */
export async function build(...layers: string[]): Promise<Net> {
  return Net.create({ param: parse(...layers), phase: Phase.TEST, registry, keep: 'all', threads: 1 });
}
