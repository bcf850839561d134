import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FormatError } from '../../../lib/errors/index.js';
import {
  create,
  encode,
  equals,
  parseText,
  parseTextFile,
  printFloat,
  printText,
  writeNetText,
  type MessageName,
} from '../../../lib/proto/index.js';
import { protocDecode, protocEncode, protocMissing } from './protoc.js';
import { randomFloat, randomMessage, seeded } from './random-message.js';

const net = (text: string) => parseText('NetParameter', text, { file: 'a.prototxt' });
const layer = (text: string) => parseText('LayerParameter', text);

function failure(text: string, type: MessageName = 'NetParameter'): FormatError {
  try {
    parseText(type, text, { file: 'a.prototxt' });
  } catch (error) {
    expect(error).toBeInstanceOf(FormatError);
    return error as FormatError;
  }
  throw new Error(`parsed: ${text.slice(0, 80)}`);
}

describe('parseText', () => {
  it('reads comments, both quotes, separators and messages with and without a colon', () => {
    const result = net(`# a comment
      name: 'it' "'s" # another
      layer { name: "a", type: "X"; } layer: { name: "b" } layer < name: 'c' >
      layer: [{ name: "d" }, <name: "e">] force_backward:true#`);
    expect(result.name).toBe("it's");
    expect(result.layer.map((entry) => entry.name)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(result.layer[0]!.type).toBe('X');
    expect(result.force_backward).toBe(true);
  });

  it('reads repeated scalars in both notations, mixed', () => {
    expect(net('input_dim: 1 input_dim: [2, 0x10,-4] input_dim: [] input_dim: 010').input_dim).toEqual([
      1, 2, 16, -4, 8,
    ]);
  });

  it('reads enums by name and by number', () => {
    expect(layer('phase: TEST').phase).toBe(1);
    expect(layer('phase: 0x1').phase).toBe(1);
    expect(layer('pooling_param { pool: AVE }').pooling_param!.pool).toBe(1);
  });

  it('reads floats in every notation, as float32', () => {
    const text = 'loss_weight: [1, -1.5f, .5, 5., 1e-5, 1E+2, 2F, inf, -Infinity, nan, -0, - 3, 1e400, 0.1]';
    expect(layer(text).loss_weight).toEqual(
      [1, -1.5, 0.5, 5, 1e-5, 100, 2, Infinity, -Infinity, NaN, -0, -3, Infinity, 0.1].map(Math.fround),
    );
  });

  it('reads booleans as protoc does', () => {
    expect(layer('propagate_down: [true, false, t, f, 1, 0, True, False]').propagate_down).toEqual([
      true,
      false,
      true,
      false,
      true,
      false,
      true,
      false,
    ]);
  });

  it('reads escapes', () => {
    expect(net(String.raw`name: "\a\b\f\n\r\t\v\\\?\'\"\101\x41\u00fc\U0001F600\303\274\0"`).name).toBe(
      '\x07\b\f\n\r\t\v\\?\'"AAü😀ü\0',
    );
    expect(net(String.raw`name: "\ud83d\ude00"`).name).toBe('😀');
    expect(parseText('Datum', String.raw`data: "\377\x0a"`).data).toEqual(Uint8Array.of(255, 10));
  });

  it('reads blobs into typed arrays', () => {
    const blob = parseText('BlobProto', 'data: 1 data: [2, 3] double_data: 0.1 shape { dim: 4294967296 }');
    expect(blob.data).toEqual(Float32Array.of(1, 2, 3));
    expect(blob.double_data).toEqual(Float64Array.of(0.1));
    expect(blob.shape!.dim).toEqual([2 ** 32]);
  });

  it('reads an empty text, a byte order mark and Windows line ends', () => {
    expect(equals(net(''), create('NetParameter'))).toBe(true);
    expect(net('\ufeffname: "a"\r\nforce_backward: true\r\n').name).toBe('a');
  });

  it.each<[string, number, number, RegExp]>([
    ['name: "a"\n  foo: 1', 2, 3, /NetParameter has no field named 'foo'/],
    ['layer {\n\tnmae: "a" }', 2, 2, /LayerParameter has no field named 'nmae'/],
    ['name: "a" name: "b"', 1, 11, /'name' is given more than once/],
    ['layer { bias_param {} bias_param {} }', 1, 23, /'bias_param' is given more than once/],
    ['name "a"', 1, 6, /':' expected after 'name'/],
    ['name: abc', 1, 7, /a string expected, found 'abc'/],
    ['name: ["a"]', 1, 7, /a string expected, found '\['/],
    ['input_dim: 1.0', 1, 12, /an integer expected, found '1.0'/],
    ['input_dim: "1"', 1, 12, /an integer expected/],
    ['input_dim: 08', 1, 12, /an integer expected, found '08'/],
    ['input_dim: 1a', 1, 12, /an integer expected, found '1a'/],
    ['input_dim: 2147483648', 1, 12, /does not fit int32/],
    ['input_dim: [1, 2,]', 1, 18, /an integer expected, found '\]'/],
    ['input_dim: [1 2]', 1, 15, /',' or '\]' expected/],
    ['input_dim: 1,, input_dim: 2', 1, 14, /a field's name expected, found ','/],
    ['layer { convolution_param { num_output: -1 } }', 1, 41, /does not fit uint32/],
    ['layer { loss_weight: 0x10 }', 1, 22, /a decimal number expected, found '0x10'/],
    ['layer { loss_weight: 010 }', 1, 22, /a decimal number expected/],
    ['layer { loss_weight: abc }', 1, 22, /a number expected, found 'abc'/],
    ['layer { phase: 7 }', 1, 16, /Phase has no value 7/],
    ['layer { phase: TESTING }', 1, 16, /'TESTING' is not one of TRAIN, TEST/],
    ['layer { phase: toString }', 1, 16, /'toString' is not one of/],
    ['constructor: 1', 1, 1, /no field named 'constructor'/],
    ['force_backward: 2', 1, 17, /true or false expected, found '2'/],
    ['force_backward: TRUE', 1, 17, /true or false expected/],
    ['name: "a\nb"', 1, 7, /not closed on its line/],
    ['name: "a', 1, 7, /not closed on its line/],
    ['name: "\\8"', 1, 8, /escape does not exist/],
    ['name:', 1, 6, /a string expected, found the end of the text/],
    ['layer {', 1, 7, /'}' is missing/],
    ['layer { name: "a" >', 1, 19, /a field's name expected, found '>'/],
    ['}', 1, 1, /a field's name expected, found '}'/],
    ['/* x */ name: "a"', 1, 1, /a field's name expected, found '\/'/],
    ['[foo.bar]: 1', 1, 1, /a field's name expected/],
    ['layer { clip_param { min: 1 } }', 1, 20, /required field 'max' is missing/],
    ['input_shape { dim: 9007199254740993 }', 1, 20, /beyond 2\^53/],
  ])('refuses %j at %i:%i', (text, line, column, message) => {
    const error = failure(text);
    expect(error.message).toMatch(message);
    expect([error.file, error.line, error.column]).toEqual(['a.prototxt', line, column]);
  });

  it('refuses 10,000 nested braces, and a megabyte of one thing, without harm', () => {
    failure('{'.repeat(10_000));
    failure('layer {'.repeat(10_000));
    failure('['.repeat(10_000));
    failure(`input_dim: ${'9'.repeat(1_000_000)}`);
    failure(`layer { loss_weight: ${'e'.repeat(1_000_000)} }`);
    failure('x'.repeat(1_000_000));
    failure('"'.repeat(1_000_001));
    expect(net(' '.repeat(1_000_000) + '#'.repeat(1_000_000)).layer).toEqual([]);
    expect(net(`name: ${'"a"'.repeat(300_000)}`).name.length).toBe(300_000);
  });

  it('reads a large net', () => {
    expect(net('layer { name: "conv" bottom: "a" top: "b" }\n'.repeat(20_000)).layer.length).toBe(20_000);
  });

  it('survives any text', () => {
    const random = seeded(1);
    const pieces = [
      'layer',
      '{',
      '}',
      '<',
      '>',
      ':',
      '"',
      "'",
      '\\',
      '[',
      ']',
      ',',
      '-',
      '1e5',
      '0x',
      'name',
      '\n',
      '#',
      '\0',
      '\ud800',
    ];
    for (let round = 0; round < 3000; ++round) {
      const text = Array.from(
        { length: 1 + random() * 12 },
        () => pieces[Math.floor(random() * pieces.length)],
      ).join(random() < 0.5 ? '' : ' ');
      try {
        net(text);
      } catch (error) {
        expect(error, JSON.stringify(text)).toBeInstanceOf(FormatError);
      }
    }
  });
});

describe('writeNetText', () => {
  it('writes what printText prints, in pieces', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ristretto-'));
    try {
      const path = join(folder, 'net.prototxt');
      const message = create('NetParameter', { input_dim: Array.from({ length: 10_000 }, (_, i) => i) });
      writeNetText(path, message);
      expect(readFileSync(path, 'utf8')).toBe(printText(message));
      writeNetText(path, create('NetParameter'));
      expect(readFileSync(path, 'utf8')).toBe('');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('printText', () => {
  it('has the layout of protobuf', () => {
    const message = create('NetParameter', {
      name: 'n"ü',
      layer: [
        { name: 'a', phase: 1, convolution_param: { kernel_size: [3, 5], bias_term: false }, include: [{}] },
        { loss_weight: [0.1, 1e-5, 1 / 3] },
      ],
    });
    expect(printText(message)).toBe(`name: "n\\"\\303\\274"
layer {
  name: "a"
  include {
  }
  phase: TEST
  convolution_param {
    bias_term: false
    kernel_size: 3
    kernel_size: 5
  }
}
layer {
  loss_weight: 0.1
  loss_weight: 1e-05
  loss_weight: 0.333333343
}
`);
  });

  it('prints floats as C++ does', () => {
    for (const [value, text] of [
      [0.1, '0.1'],
      [1e-5, '1e-05'],
      [0.0001, '0.0001'],
      [1e10, '1e+10'],
      [123456, '123456'],
      [1234567, '1234567'],
      [16777216, '16777216'],
      [1.001953125, '1.00195312'],
      [3.4028234663852886e38, '3.40282347e+38'],
      [1e-40, '9.9999461e-41'],
      [-0, '-0'],
      [NaN, 'nan'],
      [-Infinity, '-inf'],
      [100000, '100000'],
      [1e6, '1e+06'],
      [1.001953125 * 3, '3.00585938'],
      [0.00390625, '0.00390625'],
    ] as const) {
      expect(printFloat(value)).toBe(text);
    }
  });

  it('prints nothing for a message with nothing set', () => {
    expect(printText(create('NetParameter'))).toBe('');
  });

  const types: MessageName[] = [
    'NetParameter',
    'SolverParameter',
    'Datum',
    'BlobProto',
    'LayerParameter',
    'SolverState',
  ];

  it('prints what parses back to the same message', () => {
    const random = seeded(2);
    for (let round = 0; round < 300; ++round) {
      const message = randomMessage(types[round % types.length]!, random);
      const text = printText(message);
      expect(equals(parseText(message.$type as MessageName, text), message), text).toBe(true);
    }
  });

  it.skipIf(protocMissing)('agrees with protoc both ways (skipped where protoc is not installed)', () => {
    const random = seeded(3);
    for (let round = 0; round < 18; ++round) {
      const message = randomMessage(types[round % types.length]!, random);
      const text = printText(message);
      const bytes = encode(message);
      expect(protocDecode(message.$type, bytes)).toBe(text);
      expect(Buffer.compare(protocEncode(message.$type, text), bytes)).toBe(0);
    }
  });

  it.skipIf(protocMissing)('prints floats as protoc does, ties and denormals too', () => {
    const random = seeded(4);
    const blob = create('BlobProto', { data: Array.from({ length: 40_000 }, () => randomFloat(random)) });
    expect(protocDecode('BlobProto', encode(blob))).toBe(printText(blob));
  });
});

describe('what the schema does not have', () => {
  it('is told in one error, each thing once, with its places', () => {
    const { message, line, column } =
      failure(`layer { name: "a" type: "Permute" permute_param { order: [0, 2] } }
layer { name: "b" type: "Pooling" pooling_param { pool: AVE_TF ceil_mode: false kernel_sise: 3 } }
layer { name: "c" type: "Permute" permute_param: < x { y: -1 z: 'a' "b" } >; foo: [a, { b: 1 }], bar: 1.5
  convolution_param { engine: MKLDNN } type: }`);
    expect([line, column]).toEqual([1, 7]);
    expect(message.split('; a.prototxt:')).toEqual([
      "a.prototxt:1:7: type: unknown layer type 'Permute'; it belongs to weiliu89/caffe's ssd branch (so in line 3)",
      "1:35: LayerParameter has no field named 'permute_param'; it belongs to weiliu89/caffe's ssd branch (so in line 3)",
      "2:57: pool: 'AVE_TF' belongs to synopsys-caffe; known are MAX, AVE, STOCHASTIC",
      "2:64: PoolingParameter has no field named 'ceil_mode'; it belongs to soeaver/caffe and others: " +
        'ceil_mode: true is round_mode: CEIL, which is the default, ceil_mode: false is round_mode: FLOOR',
      "2:81: PoolingParameter has no field named 'kernel_sise'; did you mean 'kernel_size'?",
      "3:78: LayerParameter has no field named 'foo'",
      "3:98: LayerParameter has no field named 'bar'",
      "4:31: engine: 'MKLDNN' belongs to intel/caffe: it changes no result: leave it out; known are DEFAULT, CAFFE, CUDNN",
      "4:40: 'type' is given more than once, but is not repeated",
    ]);
  });

  it('is told for layers that Caffe has and we have not, and not for those that are here', () => {
    expect(failure('layer { type: "LSTM" foo: 1 } layer { type: "ConvolutionRistretto" }').message).toMatch(
      /^a\.prototxt:1:7: type: LSTM is not supported \(Caffe has it\): [^;]*; a\.prototxt:1:22: [^;]*$/,
    );
  });

  it('is told once for a thousand fields, and not without end', () => {
    const { message } = failure('foo: 1\n'.repeat(900));
    expect(message).toMatch(/^a\.prototxt:1:1: .*'foo' \(so in lines 2, 3, .* and 889 more\)$/);
    expect(message.length).toBeLessThan(200);
    const distinct = failure(Array.from({ length: 5000 }, (_, i) => `foo${i}: { a: 1 }`).join('\n'));
    expect(distinct.message).toMatch(/; and 960 more$/);
  });

  it.each([
    ['layers { type: "Convolution" }', /type: "Convolution" .* write CONVOLUTION without quotes, or `layer`/],
    ['layers { type: Convolution }', /write CONVOLUTION without quotes/],
    ['layers { type: "CONVOLUTION" }', /write CONVOLUTION without quotes/],
    ['layers { type: "BatchNorm" }', /write `layer` instead of `layers`/],
    ['layers { type: SOFTMAX_LOS }', /did you mean SOFTMAX_LOSS\?/],
    ['layers { type: BN }', /the type belongs to SegNet's Caffe/],
    ['layer { type: CONVOLUTION }', /`layer` takes its type in quotes, "Convolution"/],
    ['layer { type: Convolution }', /`layer` takes its type in quotes, "Convolution"/],
    ['layer { name: conv1 }', /name: a string expected, found 'conv1': write it in quotes, "conv1"/],
    ['layer { phase: Test }', /'Test' is not one of TRAIN, TEST; did you mean TEST\?/],
    ['layer { phase: "TEST" }', /"TEST" is not one of TRAIN, TEST; did you mean TEST without quotes\?/],
  ])('a layer of another form is told the right one: %s', (text, expected) => {
    expect(failure(text).message).toMatch(expected);
  });
});

describe('text files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'text-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const read = (bytes: Uint8Array): string => {
    const path = join(folder, 'net.prototxt');
    writeFileSync(path, bytes);
    try {
      return parseTextFile('NetParameter', path).name;
    } catch (error) {
      expect(error).toBeInstanceOf(FormatError);
      return (error as FormatError).message.replace(path, 'F');
    }
  };
  const text = 'name: "n" # a net\n';
  const utf16 = Buffer.from(text, 'utf16le');

  it('may start with a mark of UTF-8, and have comments in any encoding', () => {
    expect(read(Buffer.from(`\ufeff${text}`))).toBe('n');
    expect(read(Buffer.from('# caf\xe9 \xff\xfe\nname: "n" # \xb5\x5c', 'latin1'))).toBe('n');
    expect(read(Buffer.from('name: "\ufffd"'))).toBe('\ufffd');
  });

  it('in another encoding are told so', () => {
    for (const bytes of [
      Buffer.concat([Buffer.of(0xff, 0xfe), utf16]),
      utf16,
      Buffer.from(`\ufeff${text}`, 'utf16le').swap16(),
      Buffer.from(text, 'utf16le').swap16(),
    ])
      expect(read(bytes)).toMatch(/^F: is UTF-16: save it as UTF-8/);
    const utf32 = Buffer.from(
      [0xff, 0xfe, 0, 0, ...Buffer.from(text)].flatMap((b, i) => (i < 4 ? [b] : [b, 0, 0, 0])),
    );
    expect(read(utf32)).toMatch(/^F: is UTF-32: /);
    expect(read(Buffer.from('# \xe9\nname: "caf\xe9"', 'latin1'))).toMatch(
      /^F:2:11: a string holds bytes that are not UTF-8/,
    );
    expect(read(Buffer.from('\n \xefname: 1', 'latin1'))).toMatch(/^F:2:2: .*found bytes that are not UTF-8/);
  });
});
