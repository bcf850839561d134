import { checkArgument, listOf, required, text } from '../util/check-options.js';
import { nearest } from '../util/nearest.js';
import { forkOfType } from './forks.js';
import { knownLayerTypes, missingLayerType } from './layer-types.js';

const here = knownLayerTypes.filter((type) => missingLayerType(type) === undefined);

/** Why there is no layer of a type, among those that are `known`, and what to do; null for a known one. */
export function describeType(type: string, known: readonly string[] = here): string | null {
  checkArgument('describeType', 'type', type, required(text));
  checkArgument('describeType', 'known', known, listOf(text));
  if (known.includes(type)) return null;
  if (!type) return 'type: has no type';
  const missing = missingLayerType(type);
  if (missing !== undefined) return `type: ${type} is not supported (Caffe has it): ${missing}`;
  const fork = forkOfType(type);
  const close = fork ? null : nearest(type, known);
  return (
    `type: unknown layer type '${type.length > 80 ? `${type.slice(0, 80)}…` : type}'` +
    (fork ? `; it ${fork}` : '') +
    (close ? `; did you mean '${close}'?` : '')
  );
}
