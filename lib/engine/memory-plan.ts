import { assignOffsets } from '../graph/arena.js';
import type { Lowering } from './lower.js';
import type { Step } from './steps.js';
import { slicesTouched } from './steps.js';

/** Bytes behind each memory that kernels may read. */
const SLACK = 64;

/**
 * Bytes of codes that a part of a batch may take: about half of a cache of the third level. Results do not depend
 * on it. In much smaller parts layers are so short that threads wait for each other.
 */
export const DEFAULT_PART_BYTES = 16 * 2 ** 20;

/** Steps in a row that run on codes, or one layer that computes in float32. */
export interface Stretch {
  readonly steps: readonly Step[];
  readonly float: boolean;
}

export interface MemoryPlan {
  readonly stretches: readonly Stretch[];
  /** Images that the steps on codes see at a time, and how often they run for a batch. */
  readonly images: number;
  readonly parts: number;
  readonly arenaBytes: number;
}

function findStretches(steps: readonly Step[]): Stretch[] {
  const stretches: { steps: Step[]; float: boolean }[] = [];
  for (const step of steps) {
    const float = step.kind === 'float';
    const last = stretches.at(-1);
    if (last && !float && !last.float) last.steps.push(step);
    else stretches.push({ steps: [step], float });
  }
  return stretches;
}

/** Whether every memory is written and read within one stretch, so that parts of the batch can use it in turn. */
function allowsParts({ memories }: Lowering, stretches: readonly Stretch[]): boolean {
  const homes = new Map(
    stretches.flatMap((stretch) =>
      stretch.steps.flatMap((step) => slicesTouched(step).map(({ memory }) => [memory, new Set<Stretch>()])),
    ) as [object, Set<Stretch>][],
  );
  for (const stretch of stretches)
    for (const step of stretch.steps)
      for (const { memory } of slicesTouched(step)) homes.get(memory)!.add(stretch);
  return (
    [...homes.values()].every((set) => set.size === 1) &&
    memories.every(({ shape }) => shape.images === memories[0].shape.images)
  );
}

/**
 * Places the codes of a lowered net in one arena, those that live at the same time side by side. `retain`: all
 * of them, to be read after a pass; the batch then runs whole.
 */
export function planMemory(
  lowering: Lowering,
  { partBytes = DEFAULT_PART_BYTES, retain = false }: { partBytes?: number; retain?: boolean } = {},
): MemoryPlan {
  const { memories, steps } = lowering;
  const stretches = findStretches(steps);
  const place = (images: number) =>
    assignOffsets(
      memories.map((memory) => ({
        bytes: memory.imageBytes * images + SLACK,
        first: retain ? 0 : memory.first,
        last: retain ? steps.length : memory.last,
      })),
    );
  const batch = memories[0]?.shape.images ?? 1;
  let images = batch;
  if (!retain && allowsParts(lowering, stretches)) {
    images = Math.max(1, Math.min(batch, Math.floor(partBytes / Math.max(1, place(1).bytes))));
    while (batch % images) images--;
  }
  const whole = images === batch;
  const { offsets, bytes } = whole
    ? assignOffsets(
        memories.map((memory) => ({
          bytes: memory.imageBytes * memory.shape.images + SLACK,
          first: retain ? 0 : memory.first,
          last: retain ? steps.length : memory.last,
        })),
      )
    : place(images);
  for (const [i, memory] of memories.entries()) memory.offset = offsets[i];
  return { stretches, images, parts: batch / images, arenaBytes: bytes };
}
