import { statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { FormatError } from '../errors/index.js';
import {
  SolverParameter_SolverType as SolverType,
  type NetParameter,
  type SolverParameter,
} from './caffe.js';
import { callback, checkOptions, text, type OptionKinds } from '../util/check-options.js';
import { checkMessage, clear, create, enumName, has } from './message.js';
import { isV0Net, upgradeV0Net } from './upgrade-v0.js';
import { upgradeDataTransformation, upgradeV1Net } from './upgrade-v1.js';

export interface UpgradeOptions {
  /** Named in errors. */
  file?: string;
  /** Told what was upgraded and what could not be carried over. */
  onWarning?: (message: string) => void;
}

const upgradeOptionKinds: OptionKinds<UpgradeOptions> = { file: text, onWarning: callback };

/**
 * Nets once declared their inputs outside the layers. Makes an Input layer of them, the net's first; where
 * no shape is given (old caffemodels) they are only dropped.
 */
function upgradeInputs(net: NetParameter, options: UpgradeOptions): void {
  const { input, input_shape: shapes, input_dim: dims } = net;
  if (shapes.length > 0 || dims.length > 0) {
    const given = shapes.length > 0 ? shapes.length : dims.length / 4;
    if (given < input.length) {
      const described =
        shapes.length > 0
          ? `${shapes.length} input_shape`
          : `${dims.length} input_dim (four an input are needed)`;
      throw new FormatError(`${input.length} inputs, but only ${described}`, {
        file: options.file,
        field: 'input',
      });
    }
    const layer = create('LayerParameter', {
      name: 'input',
      type: 'Input',
      top: input,
      input_param: {
        shape: input.map((_, i) => (shapes.length > 0 ? shapes[i]! : { dim: dims.slice(4 * i, 4 * i + 4) })),
      },
    });
    net.layer.unshift(layer);
  }
  clear(net, 'input');
  clear(net, 'input_shape');
  clear(net, 'input_dim');
}

/** BatchNorm's three blobs are statistics; old nets froze them with param entries, which must not train them. */
function freezeStatistics(net: NetParameter): boolean {
  let changed = false;
  for (const layer of net.layer) {
    if (layer.type !== 'BatchNorm' || layer.param.length !== 3) continue;
    for (const param of layer.param) {
      changed ||= !has(param, 'lr_mult') || param.lr_mult !== 0 || param.decay_mult !== 0;
      param.lr_mult = 0;
      param.decay_mult = 0;
    }
  }
  return changed;
}

/** Brings a net of any age to today's form, in place, as Caffe does after reading one; returns it. */
export function upgradeNet(net: NetParameter, options: UpgradeOptions = {}): NetParameter {
  checkMessage('upgradeNet', 'net', net, 'NetParameter');
  checkOptions('upgradeNet', options, upgradeOptionKinds);
  const tell = (what: string) => options.onWarning?.(`upgraded ${what}`);
  if (isV0Net(net)) {
    upgradeV0Net(net, options);
    tell('V0 layers (layers { layer { … } })');
  }
  if (upgradeDataTransformation(net)) tell('transformation fields of data layers (now in transform_param)');
  if (net.layers.length > 0) {
    upgradeV1Net(net, options);
    tell('V1 layers (layers { … })');
  }
  if (net.input.length > 0) {
    upgradeInputs(net, options);
    tell('input fields (now an Input layer)');
  }
  if (freezeStatistics(net)) tell('BatchNorm statistics (lr_mult and decay_mult set to 0)');
  return net;
}

const solverTypes: Readonly<Record<keyof typeof SolverType, string>> = {
  SGD: 'SGD',
  NESTEROV: 'Nesterov',
  ADAGRAD: 'AdaGrad',
  RMSPROP: 'RMSProp',
  ADADELTA: 'AdaDelta',
  ADAM: 'Adam',
};

/** Turns `solver_type` (an enum) into `type` (a name), in place, and returns the solver. */
export function upgradeSolver(solver: SolverParameter, options: UpgradeOptions = {}): SolverParameter {
  checkMessage('upgradeSolver', 'solver', solver, 'SolverParameter');
  checkOptions('upgradeSolver', options, upgradeOptionKinds);
  if (has(solver, 'solver_type')) {
    if (has(solver, 'type')) {
      throw new FormatError('solver_type (old) and type are both given', {
        file: options.file,
        field: 'type',
      });
    }
    solver.type = solverTypes[enumName(SolverType, solver.solver_type) as keyof typeof SolverType];
    clear(solver, 'solver_type');
    options.onWarning?.(`upgraded solver_type (now type: "${solver.type}")`);
  }
  return solver;
}

/** Without a snapshot prefix snapshots are named after the solver's file; a folder as prefix gets that name below it. */
export function completeSnapshotPrefix(solver: SolverParameter, path: string): void {
  const stem = path.slice(0, path.length - extname(path).length);
  if (!has(solver, 'snapshot_prefix')) solver.snapshot_prefix = stem;
  else if (statSync(solver.snapshot_prefix, { throwIfNoEntry: false })?.isDirectory()) {
    solver.snapshot_prefix = join(solver.snapshot_prefix, basename(stem));
  }
}
