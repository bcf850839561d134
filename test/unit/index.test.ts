// The public surface used wrongly: whatever it is given, in whatever state, what it says is a RistrettoError.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import * as ristretto from '../../lib/index.js';
import { onWarning } from '../../lib/util/warnings.js';

const { RistrettoError, UsageError, Net, IntegerNet, Solver, Stream, Blob, Phase, parseText } = ristretto;
type Call = (...given: unknown[]) => unknown;

// Of odd options many are only warned of.
onWarning(() => {});

const folder = mkdtempSync(join(tmpdir(), 'ristretto-surface-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const input =
  'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 2 dim: 4 dim: 4 } } }';
const conv = (type: string) => `layer { name: "c" type: "${type}" bottom: "x" top: "c"
  quantization_param { bw_layer_in: 8 bw_layer_out: 8 bw_params: 8 fl_layer_in: 2 fl_layer_out: 3 fl_params: 6 }
  convolution_param { num_output: 2 kernel_size: 3 weight_filler { type: "xavier" } } }`;
const param = (type = 'Convolution') => parseText('NetParameter', `name: "toy" ${input} ${conv(type)}`);
const solverParam = () =>
  parseText(
    'SolverParameter',
    `net_param { ${input} ${conv('Convolution')}
       layer { name: "l" type: "EuclideanLoss" bottom: "c" bottom: "c" top: "l" } }
     base_lr: 0.1 lr_policy: "fixed" max_iter: 2 snapshot_prefix: "${join(folder, 'run')}" snapshot_after_train: false`,
  );

const odd: readonly unknown[] = [
  ...[undefined, null, {}, [], 5, NaN, -1, 1.5, 'text', true, () => 1, Symbol('s'), 10n],
  ...[new Map(), new Float32Array(3), Object.create(null), { $type: 'NetParameter' }],
];

/** What a call says that is no RistrettoError; null where it says nothing or one of those. */
async function raw(call: () => unknown): Promise<string | null> {
  try {
    const made = (await call()) as { close?: () => unknown } | undefined;
    if (typeof made?.close === 'function') await made.close();
    return null;
  } catch (error) {
    return error instanceof RistrettoError ? null : String(error);
  }
}

const functions: Record<string, Call> = {};
for (const bag of [ristretto, ristretto.kernels] as Record<string, unknown>[])
  for (const [name, value] of Object.entries(bag))
    if (typeof value === 'function' && !/^[A-Z]/.test(name)) functions[name] = value as Call;
Object.assign(functions, {
  'Net.create': (...given: never[]) => (Net.create as Call)(...given),
  'IntegerNet.create': (...given: never[]) => (IntegerNet.create as Call)(...given),
  'Solver.create': (...given: never[]) => (Solver.create as Call)(...given),
  'new Stream': (given: never) => new Stream(given),
  'new Blob': (name: never, shape: never) => new Blob(name, shape),
  'new Device': (id: never, options: never) => new ristretto.Device(id, options),
});

describe('functions with wrong arguments', () => {
  it.each(Object.keys(functions))('%s', async (name) => {
    const found: unknown[] = [];
    for (const first of odd)
      for (const second of [undefined, null, {}, 5, 'x']) {
        const said = await raw(() => functions[name](first, second));
        if (said !== null) found.push([first, second, said]);
      }
    expect(found).toEqual([]);
  });

  it('say which function and option is meant', async () => {
    const { classify, computeImageMean, convertImageset, createNet, quantize, score, kernels } =
      ristretto as unknown as Record<string, Call> & { kernels: Record<string, Call> };
    const create = Net.create as unknown as Call;
    const cases: [() => unknown, string][] = [
      [() => create(), 'Net.create takes an object of options, not undefined'],
      [() => create({}), 'param: Net.create needs a NetParameter'],
      [
        () => create({ param: param(), threads: 1.5 }),
        'threads: Net.create takes a whole number from 1 to 1024, not 1.5',
      ],
      [() => create({ param: param(), signal: 5 }), 'signal: Net.create takes an AbortSignal, not 5'],
      [
        () => create({ param: solverParam() }),
        'param: Net.create takes a NetParameter, not a SolverParameter',
      ],
      [
        () => createNet('fast', {}),
        "engine: createNet takes one of 'auto', 'integer', 'simulate', not 'fast'",
      ],
      [() => createNet('auto', {}), 'param: createNet needs a NetParameter'],
      [() => Solver.create({} as never), 'param: Solver.create needs a SolverParameter'],
      [() => classify({}), 'model: classify needs a path, or a NetParameter'],
      [() => score({}), 'model: score needs a path, or a NetParameter'],
      [() => quantize({ mdoel: 'net' }), "mdoel: quantize has no option 'mdoel'; did you mean 'model'?"],
      [() => computeImageMean({}), 'db: computeImageMean needs a path'],
      [() => convertImageset({}), 'root: convertImageset needs a string'],
    ];
    for (const [call, said] of cases) {
      const error = await Promise.resolve()
        .then(call)
        .catch((e: unknown) => e);
      expect(error).toBeInstanceOf(UsageError);
      expect((error as Error).message).toBe(said);
    }
    const gone = new Float32Array(4);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    const format = { kind: 'minifloat', mantissaBits: 3, exponentBits: 4 };
    expect(() => kernels.trimSync(gone, format)).toThrow('values: was transferred to another thread');
  });

  it('layer types are those of the package where none are given', async () => {
    const net = await Net.create({ param: param(), threads: 1 });
    expect(net.layers.map(({ type }) => type)).toEqual(['Input', 'Convolution']);
    await net.close();
  });

  it('compares only nets that keep their codes', async () => {
    const compare = ristretto.compareWithSimulation as unknown as Call;
    const options = { param: param('ConvolutionRistretto'), threads: 1 };
    const [net, forgetful] = [await Net.create(options), await IntegerNet.create(options)];
    await expect(compare(net)).rejects.toThrow('net: compareWithSimulation takes an IntegerNet, not a Net');
    await expect(compare(forgetful)).rejects.toThrow(
      'compareWithSimulation needs a net made with retain: true',
    );
    await net.close();
    await forgetful.close();
  });
});

/** Names of an object's methods and properties, inherited ones too. */
function membersOf(object: object): string[] {
  const names = new Set<string>();
  for (let p = object; p !== Object.prototype; p = Object.getPrototypeOf(p) as object)
    for (const name of Object.getOwnPropertyNames(p)) if (name !== 'constructor') names.add(name);
  return [...names];
}

const things: Record<string, { make: () => unknown; close: (thing: never) => unknown }> = {
  Net: {
    make: () => Net.create({ param: param(), threads: 1, backward: true, phase: Phase.TRAIN, keep: 'all' }),
    close: (net: InstanceType<typeof Net>) => net.close(),
  },
  IntegerNet: {
    make: () => IntegerNet.create({ param: param('ConvolutionRistretto'), threads: 1, retain: true }),
    close: (net: InstanceType<typeof IntegerNet>) => net.close(),
  },
  Solver: {
    make: () => Solver.create({ param: solverParam(), threads: 1 }),
    close: (solver: InstanceType<typeof Solver>) => solver.close(),
  },
  Stream: {
    make: () => new Stream({ threads: 1 }),
    close: (stream: InstanceType<typeof Stream>) => stream.close(),
  },
  Blob: { make: () => new Blob('b', [2, 2]), close: (blob: InstanceType<typeof Blob>) => blob.free() },
};

describe('objects used wrongly', () => {
  it.each(
    Object.keys(things).flatMap((name) => ['open', 'closed', 'twice'].map((state) => [name, state] as const)),
  )('%s, %s', async (name, state) => {
    const { make, close } = things[name];
    const found: unknown[] = [];
    for (const member of membersOf((await make()) as object))
      for (const given of state === 'twice' ? [undefined] : odd) {
        const thing = (await make()) as Record<string, unknown>;
        if (state === 'closed') await close(thing as never);
        const use = () => {
          const value = thing[member];
          return typeof value === 'function' ? (value as Call).call(thing, given) : value;
        };
        const said = state === 'twice' ? await raw(() => Promise.all([use(), use()])) : await raw(use);
        if (said !== null) found.push([member, given, said]);
        await close(thing as never);
      }
    expect(found).toEqual([]);
  });
});

describe('what is closed says so', () => {
  const closed = (what: string) => new UsageError(what, { field: "net 'toy'" });

  it('a net, also where it was closed in a pass', async () => {
    const weights = param();
    for (const net of [
      await Net.create({ param: param(), threads: 1, backward: true }),
      await IntegerNet.create({ param: param('ConvolutionRistretto'), threads: 1 }),
    ]) {
      const pass = net.forward();
      await net.close();
      await expect(pass).rejects.toThrow(closed('the net is closed'));
      await expect(net.forward()).rejects.toThrow(closed('the net is closed'));
      await expect(net.copyTrainedLayers(weights)).rejects.toThrow(closed('the net is closed'));
    }
    const net = await Net.create({ param: param(), threads: 1, backward: true });
    await net.close();
    await expect(net.backward()).rejects.toThrow(closed('the net is closed'));
    for (const use of [() => net.toProto(), () => net.reshape(), () => net.clearParamDiffs()])
      expect(use).toThrow(closed('the net is closed'));
  });

  it('a net on a stream that was closed', async () => {
    const stream = new Stream({ threads: 1 });
    const net = await Net.create({ param: param(), stream });
    stream.close();
    await expect(net.forward()).rejects.toThrow(new UsageError('the stream is closed'));
    await net.close();
  });

  it('a solver, also where it was closed between its passes', async () => {
    const solver = await Solver.create({ param: solverParam(), threads: 1 });
    const step = solver.step(100);
    await solver.close();
    await expect(step).rejects.toThrow(new UsageError('the solver is closed'));
    for (const use of [
      () => solver.step(1),
      () => solver.solve(),
      () => solver.test(),
      () => solver.snapshot(),
    ])
      await expect(use()).rejects.toThrow(new UsageError('the solver is closed'));
    await solver.close();
  });
});
