import { dirname, join } from 'node:path';
import { inputFile, inputFilesOf, registry } from '../data/index.js';
import { RistrettoError, UsageError } from '../errors/index.js';
import { checkTypesOfStates } from '../graph/index.js';
import { clone, Phase, printText, readNetText, readWeights, type NetParameter } from '../proto/index.js';
import {
  assertWritable,
  isReadOnce,
  isSpecialFile,
  lockOutput,
  refuseMeetings,
  shortName,
  withCallbacks,
  writeFileAtomic,
  type OutputLock,
} from '../util/index.js';
import { checkOptions } from '../util/check-options.js';
import { calibrate } from './calibrate.js';
import { isQuantised } from './edit-net.js';
import { Evaluator } from './evaluator.js';
import type { EvaluationId, QuantizeEvent } from './events.js';
import { integerLengthsOf, type LayerIntegerLengths, type LayerRange } from './integer-lengths.js';
import { Journal } from './journal.js';
import { withinMargin, type LadderStep } from './ladder.js';
import { modes, type Candidate, type ModeOutcome } from './modes/index.js';
import { quantizeKinds } from './option-kinds.js';
import type { QuantizeOptions, QuantizeResult, ScoresByWidth } from './options.js';
import { sumBytes } from './report.js';
import { netDigest, runKey } from './run-key.js';
import { scoreOf, type NetScores } from './running-scores.js';
import { reportLayers } from './saturation.js';

const DEFAULT_MARGIN = 2;
const DEFAULT_CALIBRATION_ITERATIONS = 10;
const DEFAULT_SEED = 1;

function check(options: QuantizeOptions): void {
  checkOptions('quantize', options, quantizeKinds);
  const { modelQuantized } = options;
  if (options.resume && modelQuantized === undefined)
    throw new UsageError('resume needs modelQuantized: the journal lies beside it');
  if (modelQuantized !== undefined) {
    assertWritable(modelQuantized);
    const journal = journalPath(modelQuantized);
    if (journal !== null) assertWritable(journal);
    else if (options.resume)
      throw new UsageError('cannot be resumed: no journal lies beside it', { file: modelQuantized });
  }
}

/** Throws where what is written would be something that is read. */
function checkOutputs(
  { modelQuantized, model, weights, data, trainData }: QuantizeOptions,
  net: NetParameter,
): void {
  if (modelQuantized === undefined) return;
  const journal = journalPath(modelQuantized);
  const read = Object.entries({ model, weights, data, trainData });
  const given = read.flatMap(([what, path]) =>
    typeof path === 'string' ? [inputFile(path, what, /data/i.test(what) ? 'images' : 'blob')] : [],
  );
  refuseMeetings(
    [
      { path: modelQuantized, what: 'modelQuantized' },
      ...(journal === null ? [] : [{ path: journal, what: 'the journal of modelQuantized' }]),
    ],
    [...given, ...inputFilesOf(net, typeof model === 'string' ? model : 'the net')],
  );
}

/** Where a search keeps its journal; null where nothing can lie beside what is written, as standard output. */
export function journalPath(modelQuantized: string): string | null {
  if (isSpecialFile(modelQuantized)) return null;
  return join(dirname(modelQuantized), `${shortName(modelQuantized)}.journal`);
}

/** Whether weights are a file that can be read a second time. */
const readAgain = (weights: string | NetParameter): boolean =>
  typeof weights === 'string' && !isReadOnce(weights);

/** A name that says that its value is a rate of hits. */
function looksLikeAccuracy(name: string): boolean {
  return /acc|top|score|precision|recall|map\b/i.test(name);
}

/** One run of a search: what its steps share. */
class SearchRun {
  readonly warnings: string[] = [];
  readonly #known = new Map<string, NetScores>();
  #scoredOutput = '';

  constructor(
    private readonly options: QuantizeOptions,
    private readonly evaluator: Evaluator,
    private readonly journal: Journal | null,
  ) {}

  readonly warn = (message: string): void => {
    if (this.warnings.includes(message)) return;
    this.warnings.push(message);
    this.emit({ kind: 'warning', message });
  };

  emit(event: QuantizeEvent): void {
    this.options.onEvent?.(event);
  }

  get scoredOutput(): string {
    return this.#scoredOutput;
  }

  /** Ranges of the float net over TRAIN batches. */
  async calibrate(net: NetParameter): Promise<LayerRange[]> {
    const iterations = this.options.calibrationIterations ?? DEFAULT_CALIBRATION_ITERATIONS;
    const evaluation: EvaluationId = { part: 'calibration', bitWidth: null };
    this.emit({ kind: 'round', evaluations: [evaluation], iterations });
    const resumed = this.journal?.ranges;
    const { ranges, scores } =
      resumed ??
      (await calibrate(this.evaluator, net, {
        iterations,
        dropout: this.options.calibrationDropout ?? false,
        onBatch: (batch, outputs, scores) =>
          this.emit({ kind: 'batch', evaluation, batch, iterations, outputs, scores }),
      }));
    if (!resumed) this.journal?.addRanges(ranges, scores);
    this.emit({
      kind: 'scored',
      evaluation,
      iterations,
      scores,
      score: scoreOf(scores),
      reused: resumed !== undefined && resumed !== null,
    });
    return ranges;
  }

  /** Scores a round of candidates; identical nets once, and what the journal or an earlier round knows not at all. */
  async score(round: readonly Candidate[]): Promise<number[]> {
    const { iterations } = this.options;
    const digests = round.map(({ net }) => netDigest(net));
    const evaluations = round.map(({ part, bitWidth }) => ({ part, bitWidth }));
    this.emit({ kind: 'round', evaluations, iterations });
    for (const digest of digests) {
      const scores = this.#known.get(digest) ?? this.journal?.scores(digest);
      if (scores) this.#known.set(digest, scores);
    }
    const reused = digests.map((digest, index) => this.#known.has(digest) || digests.indexOf(digest) < index);
    const running = [...round.keys()].filter((index) => !reused[index]);
    if (running.length > 0) {
      const results = await this.evaluator.score(
        running.map((index) => round[index].net),
        Phase.TEST,
        iterations,
        (net, batch, outputs, scores) =>
          this.emit({
            kind: 'batch',
            evaluation: evaluations[running[net]],
            batch,
            iterations,
            outputs,
            scores,
          }),
      );
      for (const [i, index] of running.entries()) {
        this.#known.set(digests[index], results[i]);
        this.journal?.addScores(digests[index], results[i]);
      }
    }
    return round.map((_, index) => {
      const scores = this.#known.get(digests[index])!;
      this.#checkOutput(scores);
      const score = scoreOf(scores, this.options.score);
      this.emit({
        kind: 'scored',
        evaluation: evaluations[index],
        iterations,
        scores,
        score,
        reused: reused[index],
      });
      return score;
    });
  }

  /** Names the output that is scored, once; warns where it hardly is an accuracy. */
  #checkOutput({ outputs }: NetScores): void {
    if (this.#scoredOutput) return;
    const { score } = this.options;
    const names = outputs.map(({ name }) => name);
    if (outputs.length === 0) throw new UsageError('the net has no output in the TEST phase to score');
    const output = score === undefined ? outputs[0] : outputs.find(({ name }) => name === score);
    if (!output)
      throw new UsageError(`the net has no output '${score}' to score; its outputs are ${names.join(', ')}`);
    this.#scoredOutput = output.name;
    if (output.lossWeight !== 0)
      this.warn(
        `the scored output '${output.name}' is a loss, which is better when lower; --score names another`,
      );
    else if (!looksLikeAccuracy(output.name))
      this.warn(`the scored output '${output.name}' does not look like an accuracy; --score names another`);
    if (output.count > 1)
      this.warn(`the scored output '${output.name}' has ${output.count} values; the first one is the score`);
  }
}

function scoresByWidth(steps: readonly LadderStep[] | undefined): ScoresByWidth | undefined {
  return steps && Object.fromEntries(steps.map(({ bitWidth, score }) => [bitWidth, score]));
}

/** Drives a mode's search with scores. */
async function runSearch(
  search: Generator<Candidate[], ModeOutcome, readonly number[]>,
  score: (round: readonly Candidate[]) => Promise<number[]>,
): Promise<ModeOutcome> {
  let step = search.next([]);
  while (!step.done) step = search.next(await score(step.value));
  return step.value;
}

/**
 * Finds how few bits a trained net needs and makes the quantised net, as `ristretto quantize` does: ranges over
 * TRAIN batches, formats from them, scores over TEST batches, the mode's search, the net with the widths that
 * passed. Rejects with the signal's reason when it is aborted; a journal beside `modelQuantized` then keeps the
 * finished evaluations for `resume`.
 */
export async function quantize(options: QuantizeOptions): Promise<QuantizeResult> {
  check(options);
  return withCallbacks(options, search);
}

async function search(options: QuantizeOptions): Promise<QuantizeResult> {
  const started = performance.now();
  const { signal } = options;
  signal?.throwIfAborted();
  const net =
    typeof options.model === 'string'
      ? readNetText(options.model)
      : clone(options.model, { shareArrays: true });
  checkOutputs(options, net);
  const quantised = net.layer.find(isQuantised);
  if (quantised)
    throw new RistrettoError(`is quantised already (${quantised.type}): the search starts from a float net`, {
      file: typeof options.model === 'string' ? options.model : undefined,
      layer: quantised.name,
    });
  // The search would meet a type that the TEST phase alone has after a long calibration.
  const phases = options.integerLengths ? [Phase.TEST] : [Phase.TRAIN, Phase.TEST];
  checkTypesOfStates(
    phases.map((phase) => ({
      param: net,
      phase,
      level: net.state?.level ?? 0,
      stage: net.state?.stage ?? [],
    })),
    registry,
  );
  const weights = typeof options.weights === 'string' ? await readWeights(options.weights) : options.weights;
  const seed = options.seed ?? DEFAULT_SEED;
  const dataSource = { train: options.trainData ?? options.data, test: options.data };

  // Of the net that is written, and so of the journal beside it.
  let lock: OutputLock | null = null;
  let journal: Journal | null = null;
  const evaluator = new Evaluator({
    weights,
    registry,
    threads: options.threads,
    seed,
    rounding: options.rounding,
    engine: options.engine,
    dataSource,
    skipBad: options.skipBad,
    allowMissing: options.allowMissing,
    signal,
  });
  let done = false;
  try {
    if (options.modelQuantized !== undefined) {
      lock = lockOutput(options.modelQuantized);
    }
    const journalFile = options.modelQuantized === undefined ? null : journalPath(options.modelQuantized);
    if (journalFile !== null) {
      const key = await runKey(
        net,
        readAgain(options.weights) ? options.weights : weights,
        [dataSource.train, dataSource.test],
        {
          iterations: options.iterations,
          calibrationIterations: options.calibrationIterations ?? DEFAULT_CALIBRATION_ITERATIONS,
          calibrationDropout: options.calibrationDropout ?? false,
          seed,
          rounding: options.rounding ?? null,
          engine: options.engine ?? 'auto',
          skipBad: options.skipBad ?? false,
        },
      );
      journal = new Journal(journalFile, key, options.resume ?? false);
    }
    const run = new SearchRun(options, evaluator, journal);
    if (journal?.foreign)
      run.warn(`${journal.path} belongs to a search with other inputs: starting from the beginning`);

    let ranges: LayerRange[] | null = null;
    let integerLengths: LayerIntegerLengths[];
    if (options.integerLengths) integerLengths = [...options.integerLengths];
    else {
      ranges = await run.calibrate(net);
      integerLengths = integerLengthsOf(ranges, run.warn);
    }
    run.emit({ kind: 'integerLengths', integerLengths });
    const errorMargin = options.errorMargin ?? DEFAULT_MARGIN;
    const outcome = await runSearch(
      modes[options.trimmingMode]({ net, ranges, integerLengths, errorMargin, warn: run.warn }),
      (round) => run.score(round),
    );
    const holds = withinMargin(outcome.combined, outcome.baseline, errorMargin);
    if (!holds)
      run.warn(
        `the quantised net scores ${outcome.combined}, which is not within ${errorMargin} % of ${outcome.baseline}`,
      );
    const layers = await reportLayers(evaluator, net, outcome.net, { ranges, integerLengths });
    if (options.modelQuantized !== undefined) writeFileAtomic(options.modelQuantized, printText(outcome.net));
    done = true;
    const { chosen, ladders } = outcome;
    return {
      trimmingMode: options.trimmingMode,
      baseline: outcome.baseline,
      convWeights: scoresByWidth(ladders.convWeights),
      fcWeights: scoresByWidth(ladders.fcWeights),
      activations: scoresByWidth(ladders.activations),
      ladder: scoresByWidth(ladders.ladder),
      chosen:
        chosen.ladder === undefined
          ? { convWeights: chosen.convWeights, fcWeights: chosen.fcWeights, activations: chosen.activations }
          : { bitWidth: chosen.ladder },
      combined: outcome.combined,
      errorMargin,
      withinMargin: holds,
      exponentBits: outcome.exponentBits,
      integerLengths,
      ranges,
      layers,
      parameterBytes: sumBytes(layers),
      scoredOutput: run.scoredOutput,
      skippedRecords: evaluator.skippedRecords,
      warnings: run.warnings,
      seconds: (performance.now() - started) / 1000,
      net: outcome.net,
    };
  } finally {
    journal?.close(done);
    lock?.release();
    await evaluator.close();
  }
}
