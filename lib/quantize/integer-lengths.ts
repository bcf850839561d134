import { RistrettoError } from '../errors/index.js';
import { activationIntegerLength, parameterIntegerLength } from '../formats/index.js';
import { checkArgument, required, text as textKind } from '../util/check-options.js';
import { parseJson } from '../util/index.js';

/** Largest magnitudes seen in one layer over the calibration batches. */
export interface LayerRange {
  layer: string;
  input: number;
  output: number;
  /** Of the weights; biases do not count. */
  parameters: number;
}

/** Bits left of the point, per layer: for parameters with the sign bit, for activations without one. */
export interface LayerIntegerLengths {
  layer: string;
  input: number;
  output: number;
  parameters: number;
}

const PARTS = ['input', 'output', 'parameters'] as const;

/** Parameters first: what is amiss with them is amiss with the output too. */
const BY_CAUSE = ['parameters', 'input', 'output'] as const;

/** Integer lengths of float32's least and greatest magnitudes, the latter of parameters, with their sign bit. */
export const LEAST_LENGTH = -149;
export const MOST_LENGTH = 129;

/** The integer lengths that the original chooses for these ranges (NUMERICS 5). */
export function integerLengthsOf(
  ranges: readonly LayerRange[],
  warn: (message: string) => void = () => {},
): LayerIntegerLengths[] {
  return ranges.map((range) => {
    const lengths: LayerIntegerLengths = { layer: range.layer, input: 0, output: 0, parameters: 0 };
    const beyond = BY_CAUSE.find((part) => !Number.isFinite(range[part]));
    if (beyond)
      throw new RistrettoError(
        `the largest magnitude of its ${beyond} is ${range[beyond]}, which no format holds`,
        {
          layer: range.layer,
        },
      );
    for (const part of PARTS) {
      const maximum = range[part];
      const { bits, allZero } =
        part === 'parameters' ? parameterIntegerLength(maximum) : activationIntegerLength(maximum);
      if (allZero)
        warn(`layer ${range.layer}: every value of its ${part} is 0; integer length ${bits} is used`);
      lengths[part] = bits;
    }
    return lengths;
  });
}

/**
 * Reads integer lengths that stand in for a calibration: a list of {layer, input, output, parameters}, alone
 * or as the field `integerLengths` of an object (what `--json` writes).
 */
export function parseIntegerLengths(text: string, file: string): LayerIntegerLengths[] {
  checkArgument('parseIntegerLengths', 'text', text, required(textKind));
  checkArgument('parseIntegerLengths', 'file', file, required(textKind));
  const value = parseJson(text, file);
  const list = Array.isArray(value) ? value : (value as { integerLengths?: unknown } | null)?.integerLengths;
  if (!Array.isArray(list)) throw new RistrettoError('a list of integer lengths was expected', { file });
  const seen = new Set<string>();
  return list.map((entry: Record<string, unknown> | null, index) => {
    const layer = entry?.layer;
    if (typeof layer !== 'string') throw new RistrettoError(`entry ${index}: no layer is named`, { file });
    if (seen.has(layer)) throw new RistrettoError('given twice', { file, layer });
    seen.add(layer);
    for (const part of PARTS) {
      const length = entry![part] as number | undefined;
      if (!(Number.isInteger(length) && length! >= LEAST_LENGTH && length! <= MOST_LENGTH))
        throw new RistrettoError(`${JSON.stringify(length)} is not an integer length`, {
          file,
          layer,
          field: part,
        });
    }
    return {
      layer,
      input: entry!.input as number,
      output: entry!.output as number,
      parameters: entry!.parameters as number,
    };
  });
}
