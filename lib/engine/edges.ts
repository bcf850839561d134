import type { NetLayer } from '../graph/index.js';
import type { CodeFormat } from '../native/index.js';
import type { Decision } from './decide.js';
import type { Value, Wiring } from './values.js';

/** What the readers of a value want its codes to be: one format, or what its producer makes ('own'). */
export type Wanted = CodeFormat | 'own';

export function sameFormat(a: CodeFormat, b: CodeFormat): boolean {
  return a.bitWidth === b.bitWidth && a.fractionalLength === b.fractionalLength;
}

function sameWish(a: Wanted, b: Wanted): boolean {
  return a === 'own' || b === 'own' ? a === b : sameFormat(a, b);
}

/** What happens on the way from the layers that make codes to those that read them. */
export interface Edges {
  /** Layers that clamp their result at 0 for a ReLU behind them. */
  readonly relus: ReadonlySet<NetLayer>;
  /** ReLUs with nothing left to do. */
  readonly fused: ReadonlySet<NetLayer>;
  wanted(value: Value): Wanted;
}

/**
 * Lets producers apply the ReLUs that follow them, and finds the format that each value is wanted in. A ReLU and
 * a requantisation are monotone, so maximum pooling may stand between them and the producer; whatever only
 * passes codes on may, too.
 */
export function findEdges(wiring: Wiring, decisions: ReadonlyMap<NetLayer, Decision>): Edges {
  const relus = new Set<NetLayer>();
  const fused = new Set<NetLayer>();

  /** The layers that would have to clamp so that `value` is clamped; null where another reader forbids it. */
  const clampers = (value: Value): NetLayer[] | null => {
    const { producer } = value;
    if (!producer || value.kept || value.readers.length !== 1) return null;
    switch (decisions.get(producer)!.kind) {
      case 'product':
        return [producer];
      case 'relu':
        return [];
      case 'carries':
      case 'maxPooling':
      case 'concat': {
        if (wiring.topsOf(producer).length > 1) return null;
        const found: NetLayer[] = [];
        for (const bottom of wiring.bottomsOf(producer)) {
          const more = clampers(bottom);
          if (!more) return null;
          found.push(...more);
        }
        return found;
      }
      default:
        return null;
    }
  };
  for (const entry of wiring.layers) {
    if (decisions.get(entry)!.kind !== 'relu') continue;
    const found = clampers(wiring.bottomsOf(entry)[0]);
    if (!found) continue;
    for (const clamper of found) relus.add(clamper);
    fused.add(entry);
  }

  const wishes = new Map<Value, Wanted>();
  const wanted = (value: Value): Wanted => {
    const known = wishes.get(value);
    if (known !== undefined) return known;
    const wish = value.kept || value.readers.length === 0 ? 'own' : value.readers.map(wishOf).reduce(agree);
    wishes.set(value, wish);
    return wish;
  };
  const agree = (a: Wanted, b: Wanted): Wanted => (sameWish(a, b) ? a : 'own');
  const wishOf = (reader: NetLayer): Wanted => {
    const decision = decisions.get(reader)!;
    switch (decision.kind) {
      case 'product':
        return decision.formats.input;
      case 'carries':
      case 'maxPooling':
      case 'concat':
        return wiring.topsOf(reader).map(wanted).reduce(agree);
      case 'relu':
        // One that is left is a step of its own, which requantises behind itself.
        return fused.has(reader) ? wanted(wiring.topsOf(reader)[0]) : 'own';
      default:
        return 'own';
    }
  };
  return { relus, fused, wanted };
}
