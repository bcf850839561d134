import { describe, expect, it } from 'vitest';
import {
  modes,
  type Candidate,
  type ModeInput,
  type ModeOutcome,
  type TrimmingMode,
} from '../../../lib/quantize/modes/index.js';
import { layerFormatsOf } from '../../../lib/formats/index.js';
import { FLOAT32_MAX } from '../../../lib/formats/exponent.js';
import { integerLengthsOf } from '../../../lib/quantize/integer-lengths.js';
import { equals, parseText, printText, type NetParameter } from '../../../lib/proto/index.js';

const net = (fc = true) =>
  parseText(
    'NetParameter',
    `name: "n"
     layer { name: "data" type: "Input" top: "data" }
     layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1" }
     layer { name: "deconv" type: "Deconvolution" bottom: "conv1" top: "deconv" }
     ${fc ? 'layer { name: "ip1" type: "InnerProduct" bottom: "deconv" top: "ip1" }' : ''}`,
  );

const input = (param: NetParameter, more: Partial<ModeInput> = {}): ModeInput => ({
  net: param,
  ranges: null,
  integerLengths: [
    { layer: 'conv1', input: 8, output: 11, parameters: 1 },
    { layer: 'ip1', input: 11, output: 4, parameters: 0 },
  ].filter(({ layer }) => param.layer.some((l) => l.name === layer)),
  errorMargin: 3,
  warn: () => {},
  ...more,
});

/** Runs a mode with scores from a function, and records the rounds. */
function drive(
  mode: TrimmingMode,
  modeInput: ModeInput,
  score: (candidate: Candidate) => number,
): { outcome: ModeOutcome; rounds: string[][] } {
  const search = modes[mode](modeInput);
  const rounds: string[][] = [];
  let scores: number[] = [];
  for (;;) {
    const step = search.next(scores);
    if (step.done) return { outcome: step.value, rounds };
    rounds.push(step.value.map(({ part, bitWidth }) => `${part} ${bitWidth}`));
    scores = step.value.map(score);
  }
}

describe('dynamic_fixed_point', () => {
  it('walks three ladders side by side and combines what passed', () => {
    const { outcome, rounds } = drive('dynamic_fixed_point', input(net()), ({ part, bitWidth }) =>
      part === 'convWeights' && bitWidth! < 8 ? 0.1 : part === 'activations' && bitWidth! < 16 ? 0.2 : 0.9,
    );
    expect(rounds).toEqual([
      ['baseline null', 'convWeights 16', 'fcWeights 16', 'activations 16'],
      ['convWeights 8', 'fcWeights 8', 'activations 8'],
      ['convWeights 4', 'fcWeights 4'],
      ['fcWeights 2'],
      ['fcWeights 1'],
      ['combined null'],
    ]);
    expect(outcome.chosen).toEqual({ convWeights: 8, fcWeights: 1, activations: 16 });
    expect(printText(outcome.net.layer[1].quantization_param!)).toBe(
      'bw_layer_in: 16\nbw_layer_out: 16\nbw_params: 8\nfl_layer_in: 8\nfl_layer_out: 5\nfl_params: 7\n',
    );
    expect(outcome.net.layer.map((layer) => layer.type)).toEqual([
      'Input',
      'ConvolutionRistretto',
      'Deconvolution',
      'FcRistretto',
    ]);
    expect(outcome.net.layer[3].quantization_param!.fl_params).toBe(1);
  });

  it('leaves the net that it was given alone, and asks for it unchanged where a part has no layers', () => {
    const param = net(false);
    const before = printText(param);
    const seen: Candidate[] = [];
    drive('dynamic_fixed_point', input(param), (candidate) => (seen.push(candidate), 0.5));
    expect(printText(param)).toBe(before);
    for (const candidate of seen)
      expect(equals(candidate.net, param), `${candidate.part} ${candidate.bitWidth}`).toBe(
        candidate.part === 'baseline' || candidate.part === 'fcWeights',
      );
  });

  it('warns of a part that 16 bits are too few for, and writes 32 for it', () => {
    const warnings: string[] = [];
    const { outcome } = drive(
      'dynamic_fixed_point',
      input(net(), { warn: (w) => warnings.push(w) }),
      ({ part }) => (part === 'activations' ? 0.5 : 0.9),
    );
    expect(outcome.chosen.activations).toBe(32);
    expect(outcome.net.layer[1].quantization_param!.fl_layer_out).toBe(32 - 11);
    expect(warnings.join()).toMatch(/16 bits are too few for the activations/);
  });

  it('leaves layers without a known range alone and says so', () => {
    const warnings: string[] = [];
    const { outcome } = drive(
      'dynamic_fixed_point',
      input(net(), {
        integerLengths: [{ layer: 'ghost', input: 1, output: 1, parameters: 1 }],
        warn: (w) => warnings.push(w),
      }),
      () => 1,
    );
    expect(equals(outcome.net, net())).toBe(true);
    expect(warnings.join('\n')).toMatch(/conv1[\s\S]*ip1[\s\S]*ghost/);
  });
});

describe('minifloat', () => {
  const withMaxima = (...maxima: number[]) =>
    input(net(), {
      ranges: [
        { layer: 'conv1', input: maxima[0], output: maxima[1], parameters: 1e9 },
        { layer: 'ip1', input: 1, output: 1, parameters: 1 },
      ],
    });

  it.each([
    [0, 0, 4],
    [2, 3, 4],
    [138, 1500, 5],
    [2 ** 9, 2 ** 9, 4],
    [2 ** 9 + 1, 1, 5],
    [2 ** 33, 1, 6],
    [1, 2 ** 100, 8],
  ])('gives maxima %d and %d %d exponent bits', (a, b, bits) => {
    expect(drive('minifloat', withMaxima(a, b), () => 1).outcome.exponentBits).toBe(bits);
  });

  it('goes down while a mantissa bit is left, then names its choice', () => {
    const { outcome, rounds } = drive('minifloat', withMaxima(1, 1), () => 1);
    expect(rounds).toEqual([['baseline null', 'ladder 16'], ['ladder 8'], ['combined 8']]);
    expect(printText(outcome.net.layer[1].quantization_param!)).toBe(
      'precision: MINIFLOAT\nmant_bits: 3\nexp_bits: 4\n',
    );
  });

  it('writes 32 bits where 16 fail', () => {
    const { outcome } = drive('minifloat', withMaxima(1, 1), ({ part }) => (part === 'ladder' ? 0 : 1));
    expect(outcome.chosen).toEqual({ ladder: 32 });
    expect(outcome.net.layer[1].quantization_param!.mant_bits).toBe(27);
  });
});

describe('integer_power_of_2_weights', () => {
  it('asks for the baseline and one net', () => {
    const { outcome, rounds } = drive('integer_power_of_2_weights', input(net()), ({ bitWidth }) =>
      bitWidth === null ? 0.9 : 0.2,
    );
    expect(rounds).toEqual([['baseline null', 'combined 4']]);
    expect(outcome.combined).toBe(0.2);
    expect(printText(outcome.net.layer[3].quantization_param!)).toBe(
      'precision: INTEGER_POWER_OF_2_WEIGHTS\nbw_layer_in: 8\nbw_layer_out: 8\nfl_layer_in: -3\nfl_layer_out: 4\n' +
        'exp_min: -8\nexp_max: -1\n',
    );
  });
});

describe('ranges near the ends of float32', () => {
  const range = (maximum: number) => ({ input: maximum, output: maximum, parameters: maximum });
  const near = (maximum: number, more: Partial<ModeInput> = {}) => {
    const ranges = ['conv1', 'ip1'].map((layer) => ({ layer, ...range(maximum) }));
    return input(net(), { ranges, integerLengths: integerLengthsOf(ranges), ...more });
  };

  it.each(Object.keys(modes) as TrimmingMode[])('%s writes no format that it does not read', (mode) => {
    for (let exponent = -149; exponent <= 127; exponent++)
      for (const maximum of [2 ** exponent, Math.min(1.75 * 2 ** exponent, FLOAT32_MAX)])
        // Every step passes, or none does: all widths, and the fallback.
        for (const score of [1, 0]) {
          const written: NetParameter[] = [];
          const { outcome } = drive(mode, near(maximum), (candidate) => {
            written.push(candidate.net);
            return candidate.part === 'baseline' ? 1 : score;
          });
          for (const { layer } of [...written, outcome.net])
            for (const { name, type, quantization_param } of layer)
              if (type.endsWith('Ristretto'))
                expect(() => layerFormatsOf(quantization_param, { layer: name })).not.toThrow();
        }
  });

  it.each([
    [
      'dynamic_fixed_point',
      1e-30,
      /^layer conv1: the largest magnitude of its parameters is 1e-30, near the least/,
    ],
    [
      'dynamic_fixed_point',
      3e38,
      /^layer ip1: the largest magnitude of its output is 3e\+38, near the greatest/,
    ],
    [
      'dynamic_fixed_point',
      1e-42,
      /^layer conv1: the largest magnitude of its input is 1e-42, near the least/,
    ],
    ['minifloat', 1e-30, /^layer conv1: the largest magnitude of its parameters is 1e-30, below the least/],
    ['minifloat', 3e38, /^layer conv1: the largest magnitude of its parameters is 3e\+38, near the greatest/],
    [
      'integer_power_of_2_weights',
      1e-30,
      /^layer ip1: .* parameters is 1e-30, below the least power of two, 2\^-8/,
    ],
    [
      'integer_power_of_2_weights',
      3e38,
      /^layer ip1: .* parameters is 3e\+38, near the greatest.*2\^-1 stands/,
    ],
    ['integer_power_of_2_weights', 3e38, /^layer ip1: .* output is 3e\+38, near the greatest/],
  ] as const)('are told of before anything is scored: %s %f', (mode, maximum, warning) => {
    const warnings: string[] = [];
    modes[mode](near(maximum, { warn: (message) => warnings.push(message) })).next([]);
    expect(warnings.filter((message) => warning.test(message))).toHaveLength(1);
  });

  it.each(Object.keys(modes) as TrimmingMode[])('%s says nothing of everyday ranges', (mode) => {
    const warnings: string[] = [];
    for (const maximum of [2 ** -6, 0.3, 1, 200])
      modes[mode](near(maximum, { warn: (message) => warnings.push(message) })).next([]);
    expect(warnings).toEqual([]);
  });
});
