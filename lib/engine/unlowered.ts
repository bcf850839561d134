import { NetError } from '../errors/index.js';
import type { NetLayer } from '../graph/index.js';

/** A layer that was meant to be quantised. */
export function isQuantisedType(type: string): boolean {
  return type.endsWith('Ristretto');
}

export interface Unlowered {
  layer: NetLayer;
  reason: string;
}

function listed(unlowered: readonly Unlowered[]): string {
  return unlowered.map(({ layer, reason }) => `'${layer.name}' (${reason})`).join(', ');
}

/** Raises an error that lists quantised layers which cannot run on codes. */
export function refuseUnlowered(unlowered: readonly Unlowered[]): void {
  if (unlowered.length === 0) return;
  throw new NetError(
    `${unlowered.length} quantised ${unlowered.length === 1 ? 'layer' : 'layers'} cannot run on integer codes: ` +
      `${listed(unlowered)}; engine 'simulate' runs them in float32`,
  );
}
