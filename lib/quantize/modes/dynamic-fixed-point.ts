import type { NetParameter } from '../../proto/index.js';
import { fixedPointActivations, fixedPointParameters, type QuantisableType } from '../edit-net.js';
import { FALLBACK_WIDTH, Ladder, withinMargin } from '../ladder.js';
import { warnOfFixedPointLimits } from '../limits.js';
import { FormatsByLayer } from './formats-by-layer.js';
import type { Candidate, ModeInput, Part, Search } from './mode.js';

const LADDER_PARTS = ['convWeights', 'fcWeights', 'activations'] as const;
type LadderPart = (typeof LADDER_PARTS)[number];

const PART_NAME: Record<LadderPart, string> = {
  convWeights: 'convolution weights',
  fcWeights: 'inner product weights',
  activations: 'activations',
};

/** Widths of the three parts; a part that is left out stays as the schema's defaults have it. */
export type Widths = Partial<Record<LadderPart, number>>;

/** The net with some parts in dynamic fixed point: what a step of a ladder, and the combined net, are. */
export function dynamicFixedPointNet(formats: FormatsByLayer, widths: Widths): NetParameter {
  const weightPart: Record<QuantisableType, LadderPart> = {
    Convolution: 'convWeights',
    InnerProduct: 'fcWeights',
  };
  return formats.quantise((lengths, type) => {
    const weights = widths[weightPart[type]];
    const { activations } = widths;
    if (weights === undefined && activations === undefined) return null;
    return {
      ...(weights !== undefined && fixedPointParameters(weights, lengths.parameters)),
      ...(activations !== undefined && fixedPointActivations(activations, lengths.input, lengths.output)),
    };
  });
}

/**
 * The original's search: conv weights, FC weights and activations walk down their ladders independently, all
 * against the float baseline, and the last passing width of each makes the net that is written.
 */
export function* dynamicFixedPoint(input: ModeInput): Search {
  const { errorMargin, warn } = input;
  const formats = new FormatsByLayer(input);
  warnOfFixedPointLimits(input);
  const ladders = new Map<LadderPart, Ladder>(LADDER_PARTS.map((part) => [part, new Ladder()]));
  let baseline: number | null = null;

  for (;;) {
    const round: Candidate[] =
      baseline === null ? [{ part: 'baseline', bitWidth: null, net: input.net }] : [];
    for (const [part, ladder] of ladders)
      if (ladder.next !== null)
        round.push({
          part,
          bitWidth: ladder.next,
          net: dynamicFixedPointNet(formats, { [part]: ladder.next }),
        });
    if (round.length === 0) break;
    const scores = yield round;
    if (baseline === null) baseline = scores[0];
    for (const [index, { part }] of round.entries())
      if (part !== 'baseline')
        ladders
          .get(part as LadderPart)!
          .accept(scores[index], withinMargin(scores[index], baseline, errorMargin));
  }

  const widths = Object.fromEntries([...ladders].map(([part, ladder]) => [part, ladder.chosen])) as Record<
    LadderPart,
    number
  >;
  for (const part of LADDER_PARTS)
    if (widths[part] === FALLBACK_WIDTH)
      warn(
        `16 bits are too few for the ${PART_NAME[part]} already: they are written with 32 bits and a fractional ` +
          `length to match, which still saturates values beyond their integer length`,
      );
  const net = dynamicFixedPointNet(formats, widths);
  const [combined] = yield [{ part: 'combined', bitWidth: null, net }];
  return {
    baseline: baseline!,
    ladders: Object.fromEntries([...ladders].map(([part, ladder]) => [part, ladder.steps])) as Partial<
      Record<Part, Ladder['steps']>
    >,
    chosen: widths,
    net,
    combined,
  };
}
