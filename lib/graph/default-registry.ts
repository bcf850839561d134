import { UsageError } from '../errors/index.js';
import type { LayerRegistry } from './layer.js';

let ofPackage: LayerRegistry | null = null;

/** Said once by whoever knows all layer types: the graph itself knows none. */
export function setDefaultRegistry(registry: LayerRegistry): void {
  ofPackage = registry;
}

/** The layer types of a net whose options name none. */
export function defaultRegistry(what: string): LayerRegistry {
  if (!ofPackage)
    throw new UsageError(`${what} needs layer types by name, as \`registry\``, { field: 'registry' });
  return ofPackage;
}
