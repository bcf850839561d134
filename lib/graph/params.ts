import { fillerValues, type Blob } from '../blob/index.js';
import { create, has, ParamSpec_DimCheckMode, type FillerParameter, type ParamSpec } from '../proto/index.js';
import type { NetLayer } from './build.js';
import { locateError } from './build.js';
import type { Layer } from './layer.js';

/** A learnable parameter of a net. */
export interface NetParam {
  /** Its name in the prototxt where it has one, else 'layer[index]'. */
  readonly name: string;
  readonly layer: Layer;
  /** Position among the layer's learnable blobs. */
  readonly index: number;
  readonly blob: Blob;
  readonly filler: FillerParameter | null;
  /** What the filler makes of the parameter: its values until others are given. */
  readonly initialValues: () => Float32Array;
  /** The parameter whose values this one uses, where both have the same name in the prototxt. */
  readonly owner: NetParam | null;
  /** Multiply the solver's learning rate and weight decay; of a shared parameter, the owner's count. */
  lrMult: number;
  decayMult: number;
}

function sameShape(a: Blob, b: Blob): boolean {
  return a.shape.length === b.shape.length && a.shape.every((dim, axis) => dim === b.shape[axis]);
}

function share(param: NetParam, owner: NetParam, spec: ParamSpec): void {
  const permissive = spec.share_mode === ParamSpec_DimCheckMode.PERMISSIVE;
  if (permissive ? param.blob.count !== owner.blob.count : !sameShape(param.blob, owner.blob))
    param.layer.fail(
      `cannot share '${param.name}' of layer '${owner.layer.name}': its shape there is ${owner.blob.shapeText}, ` +
        `here ${param.blob.shapeText}${permissive ? '' : ' (share_mode: PERMISSIVE compares the counts only)'}`,
      'param.share_mode',
    );
  param.blob.shareData(owner.blob);
  param.blob.shareDiff(owner.blob);
}

/**
 * Lists the learnable parameters of a net in order and lets those of the same name share their values. From here on
 * a parameter without values has those of its filler, as Caffe's fillers run when a layer is set up.
 */
export function collectParams(layers: readonly NetLayer[], seed: number): NetParam[] {
  const params: NetParam[] = [];
  const owners = new Map<string, { param: NetParam; given: { lr_mult?: number; decay_mult?: number } }>();
  for (const { layer } of layers) {
    const specs = layer.param.param;
    if (specs.length > layer.learnable.length)
      layer.fail(
        `is given ${specs.length} times; the layer has ${layer.learnable.length} parameters`,
        'param',
      );
    for (const [index, { blob, filler, statistic }] of layer.learnable.entries()) {
      const spec = specs[index] ?? create('ParamSpec');
      const shared = spec.name ? owners.get(spec.name) : undefined;
      const param: NetParam = {
        name: spec.name || `${layer.name}[${index}]`,
        layer,
        index,
        blob,
        filler,
        initialValues: () => {
          try {
            return fillerValues(blob.shape, filler, seed, `${layer.name}/${index}`);
          } catch (error) {
            throw locateError(error, layer.name);
          }
        },
        owner: shared?.param ?? null,
        lrMult: statistic ? 0 : spec.lr_mult,
        decayMult: statistic ? 0 : spec.decay_mult,
      };
      params.push(param);
      const given = {
        lr_mult: has(spec, 'lr_mult') ? spec.lr_mult : undefined,
        decay_mult: has(spec, 'decay_mult') ? spec.decay_mult : undefined,
      };
      if (!shared) {
        if (blob.version === 0) blob.initialiseWith(param.initialValues);
        if (spec.name) owners.set(spec.name, { param, given });
        continue;
      }
      share(param, shared.param, spec);
      for (const field of ['lr_mult', 'decay_mult'] as const) {
        if (given[field] === undefined) continue;
        if (shared.given[field] !== undefined && shared.given[field] !== given[field])
          layer.fail(
            `'${spec.name}' is shared with layer '${shared.param.layer.name}', which gives ${shared.given[field]}, not ${given[field]}`,
            `param.${field}`,
          );
        shared.given[field] = given[field];
        shared.param[field === 'lr_mult' ? 'lrMult' : 'decayMult'] = given[field];
      }
      param.lrMult = shared.param.lrMult;
      param.decayMult = shared.param.decayMult;
    }
  }
  return params;
}

/** Whether values were given: by weights, or by hand through `blob.data`. Those of the filler are not. */
export function isGiven({ blob, owner, initialValues }: NetParam): boolean {
  if (owner && isGiven(owner)) return true;
  if (blob.version > 0) return true;
  if (owner || blob.uninitialised) return false;
  const initial = initialValues();
  return blob.data.some((value, i) => !Object.is(value, initial[i]));
}

/** Runs the fillers that have not run yet: at a point where an error of theirs is wanted rather than at a read. */
export function fillParams(params: readonly NetParam[]): void {
  for (const { blob } of params) blob.initialise();
}
