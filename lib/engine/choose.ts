import { Net } from '../graph/index.js';
import type { NetParameter } from '../proto/index.js';
import { checkArgument, checkOptions, oneOf, required } from '../util/check-options.js';
import { IntegerNet, integerNetOptionKinds, type IntegerNetOptions } from './integer-net.js';
import { isQuantisedType } from './unlowered.js';

/**
 * How quantised layers run. simulate: in float32, on numbers trimmed to their formats. integer: on integer codes;
 * an error where a layer cannot. auto: on codes where every quantised layer can, else simulated.
 */
export type Engine = 'auto' | 'integer' | 'simulate';
export const ENGINES = ['auto', 'integer', 'simulate'] as const satisfies readonly Engine[];

export const engineKind = oneOf(...ENGINES);

/** A net as those who only run it need it. */
export type RunnableNet = Net | IntegerNet;

/** Makes a net that runs its quantised layers as `engine` says. */
export async function createNet(engine: Engine, options: IntegerNetOptions): Promise<RunnableNet> {
  checkArgument('createNet', 'engine', engine, required(engineKind));
  checkOptions('createNet', options, integerNetOptionKinds);
  const { partBytes: _partBytes, retain: _retain, strict: _strict, keep = 'outputs', ...rest } = options;
  const simulated = () => Net.create({ ...rest, keep });
  if (engine === 'simulate' || (engine === 'auto' && !hasQuantised(options.param))) return simulated();
  if (engine === 'integer') return IntegerNet.create({ ...options, strict: true });
  const net = await IntegerNet.create(options);
  if (net.unlowered.length === 0) return net;
  await net.close();
  return simulated();
}

function hasQuantised({ layer }: NetParameter): boolean {
  return layer.some(({ type }) => isQuantisedType(type));
}
