import { resolve } from 'node:path';
import { RistrettoError } from '../errors/index.js';
import { clone, has, Phase, readNetText, upgradeNet } from '../proto/index.js';
import type { NetParameter, NetState, SolverParameter } from '../proto/index.js';

/** A net that a solver names, and the state it is to have. */
export interface NetDefinition {
  param: NetParameter;
  phase: Phase;
  level: number;
  stages: readonly string[];
  /** The prototxt it was read from; null where it stands in the solver itself. */
  file: string | null;
}

export interface TestDefinition extends NetDefinition {
  /** Batches that make a test. */
  iterations: number;
}

const sources = ['net', 'net_param', 'train_net', 'train_net_param'] as const;

/** What a solver trains and tests; only the fields that say so are looked at. */
export class NetDefinitions {
  readonly #files = new Map<string, NetParameter>();

  constructor(
    readonly solver: SolverParameter,
    readonly baseFolder?: string,
  ) {}

  get train(): NetDefinition {
    const { solver } = this;
    const given = sources.filter((field) => has(solver, field));
    if (given.length !== 1)
      throw new RistrettoError(
        `a solver names exactly one training net by ${sources.join(', ')}; ` +
          (given.length ? `this one has ${given.join(' and ')}` : 'this one has none'),
        { field: given[1] ?? 'net' },
      );
    const inline = solver.net_param ?? solver.train_net_param;
    const file = inline ? null : solver.net || solver.train_net;
    return this.#define(inline, file, Phase.TRAIN, solver.train_state);
  }

  get tests(): TestDefinition[] {
    const { solver } = this;
    const generic = has(solver, 'net') || has(solver, 'net_param');
    const own = solver.test_net_param.length + solver.test_net.length;
    const { length } = solver.test_iter;
    if (generic ? length < own : length !== own)
      throw new RistrettoError(
        `${length} given for ${own} test nets${generic ? '; further ones test the net itself' : ''}`,
        { field: 'test_iter' },
      );
    if (solver.test_state.length && solver.test_state.length !== length)
      throw new RistrettoError(`${solver.test_state.length} given for ${length} test nets`, {
        field: 'test_state',
      });
    if (length && solver.test_interval <= 0)
      throw new RistrettoError('must be positive where there are test nets', { field: 'test_interval' });
    const nets: [NetParameter | null, string | null][] = [
      ...solver.test_net_param.map((param): [NetParameter, null] => [param, null]),
      ...solver.test_net.map((file): [null, string] => [null, file]),
    ];
    while (nets.length < length) nets.push([solver.net_param, solver.net_param ? null : solver.net]);
    return nets.map(([inline, file], index) => ({
      ...this.#define(inline, file, Phase.TEST, solver.test_state[index] ?? null),
      iterations: solver.test_iter[index],
    }));
  }

  #define(
    inline: NetParameter | null,
    file: string | null,
    phase: Phase,
    solverState: NetState | null,
  ): NetDefinition {
    const param = inline ? upgradeNet(clone(inline, { shareArrays: true })) : this.#read(file!);
    const state: Omit<NetDefinition, 'param' | 'file'> & { stages: string[] } = {
      phase,
      level: 0,
      stages: [],
    };
    // The net's own state first, then the solver's: later values win, stages add up.
    for (const given of [param.state, solverState]) {
      if (!given) continue;
      if (has(given, 'phase')) state.phase = given.phase;
      if (has(given, 'level')) state.level = given.level;
      state.stages.push(...given.stage);
    }
    return { param, file, ...state };
  }

  #read(file: string): NetParameter {
    const path = this.baseFolder === undefined ? file : resolve(this.baseFolder, file);
    let net = this.#files.get(path);
    if (!net) this.#files.set(path, (net = readNetText(path)));
    return net;
  }
}
