import type { SolverParameter } from '../proto/index.js';
import type { Solver, SolverEvent, TestResult } from '../solver/index.js';
import { bytesText } from '../util/bytes-text.js';
import { formatG } from './format-number.js';
import type { Output } from './output.js';
import { formatSeconds, progressBar } from './table.js';
import { trainLines, type OutputValue } from './train-lines.js';

/** How many lines of tests the log of a terminal shows for one net. */
const MOST_OUTPUTS = 10;

/** One loss that was displayed. */
interface Displayed {
  iteration: number;
  loss: number;
  learningRate: number | null;
}

/** Tells of a training run: the original's log, a live block on a terminal, and everything as data at the end. */
export class TrainReport {
  #started = performance.now();
  /** When the displayed iteration before this one was, and which it was. */
  #lapStarted = performance.now();
  #lapIteration = 0;
  #first = 0;
  #end = 0;
  #batch = 0;
  #iteration = 0;
  #loss = NaN;
  #rate: number | null = null;
  #testing = '';
  #stopping = false;
  readonly #displayed: Displayed[] = [];
  readonly #tests: TestResult[] = [];
  readonly #snapshots: string[] = [];
  #best: { iteration: number; value: number; model: string | null } | null = null;

  constructor(
    private readonly output: Output,
    private readonly param: SolverParameter,
    private readonly most: number | undefined,
  ) {}

  /** Ctrl-C was taken already. */
  get stopping(): boolean {
    return this.#stopping;
  }

  stopAsked(): void {
    this.#stopping = true;
    if (this.output.mode === 'terminal')
      this.output.warn('stopping behind this iteration, with a snapshot; once more ends at once');
  }

  start(solver: Solver): void {
    const { net, param, iteration, replicas } = solver;
    this.#first = this.#iteration = iteration;
    this.#end = Math.min(param.max_iter, this.most === undefined ? Infinity : iteration + this.most);
    this.#batch = param.iter_size * replicas.batchSize;
    const { memory } = net;
    for (const line of trainLines.solving(net.name, param.lr_policy)) this.output.log(line);
    this.output.note(
      `training takes ${bytesText(memory.total)}${replicas.count > 1 ? ` on each of ${replicas.count} GPUs` : ''}: parameters ${bytesText(memory.parameters)}, ` +
        `activations ${bytesText(memory.kept + memory.activations + memory.inputs)}, gradients ${bytesText(memory.gradients)}`,
    );
    this.#started = this.#lapStarted = performance.now();
    this.#lapIteration = iteration;
  }

  take(event: SolverEvent): void {
    switch (event.kind) {
      case 'warning':
        return this.output.warn(event.message);
      case 'testing':
        this.#testing = ` test net #${event.net}`;
        return this.output.log(trainLines.testing(event.iteration, event.net));
      case 'tested':
        return this.#tested(event);
      case 'display':
        return this.#display(event);
      case 'debug':
        return this.#debug(event);
      case 'step':
        return this.output.log(trainLines.step(event.iteration, event.step));
      case 'learningRate':
        return this.#learningRate(event);
      case 'clipped':
        return this.output.log(trainLines.clipped(event.norm, event.limit));
      case 'iterated':
        this.#iteration = event.iteration;
        this.#loss = event.loss;
        return this.#status();
      case 'snapshot':
        this.#snapshots.push(event.state);
        for (const line of trainLines.snapshot(event.model, event.state, event.hdf5)) this.output.log(line);
        if (this.output.mode === 'terminal') this.output.print(`snapshot: ${event.state}`);
        return;
      case 'best':
        this.#best = { iteration: event.iteration, value: event.value, model: event.model };
        return this.output.note(
          `best test so far: ${formatG(event.value)} at iteration ${event.iteration}` +
            (event.model ? `, kept as ${event.model}` : ''),
        );
      case 'stopped':
        if (event.reason === 'patience')
          this.output.warn('stopped: no better test for as long as --patience says');
        return;
    }
  }

  finish(solver: Solver): void {
    this.output.status([]);
    if (solver.stopped) this.output.log(trainLines.stoppedEarly());
    else this.output.log(trainLines.done());
    this.output.log(trainLines.finished());
    if (this.output.mode !== 'terminal') return;
    const made = solver.iteration - this.#first;
    const seconds = (performance.now() - this.#started) / 1000;
    this.output.print(
      `${solver.stopped ? 'stopped at' : 'trained to'} iteration ${solver.iteration}: ${made} updates in ${formatSeconds(seconds)}` +
        (solver.lastSnapshot ? `; go on with --snapshot=${solver.lastSnapshot}` : ''),
    );
  }

  /** Everything as data. */
  data(solver: Solver) {
    const seconds = (performance.now() - this.#started) / 1000;
    const iterations = solver.iteration - this.#first;
    return {
      iteration: solver.iteration,
      iterations,
      stopped: solver.stopped,
      seconds,
      imagesPerSecond: (iterations * this.#batch) / seconds,
      batch: this.#batch,
      gpus: solver.replicas.devices.map(({ id }) => id),
      seed: solver.seed,
      displayed: this.#displayed,
      tests: this.#tests,
      best: this.#best,
      snapshots: this.#snapshots,
      memory: solver.net.memory,
    };
  }

  #display({ iteration, loss, outputs, last }: SolverEvent & { kind: 'display' }): void {
    this.#displayed.push({ iteration, loss, learningRate: null });
    if (last) {
      this.output.log(trainLines.lastLoss(iteration, loss));
    } else {
      const seconds = (performance.now() - this.#lapStarted) / 1000;
      const rate = (iteration - this.#lapIteration) / (seconds || 1);
      this.output.log(trainLines.iteration(iteration, rate, seconds, this.param.display, loss));
      for (const [i, value] of outputs.entries()) this.output.log(trainLines.trainOutput(i, value));
    }
    this.#lapStarted = performance.now();
    this.#lapIteration = iteration;
    if (this.output.mode === 'terminal')
      this.output.print(`iteration ${iteration}: loss ${formatG(loss)}${this.#outputsText(outputs)}`);
  }

  #debug({ magnitudes }: SolverEvent & { kind: 'debug' }): void {
    for (const { pass, layer, kind, blob, value } of magnitudes)
      this.output.note(
        `    [${pass === 'forward' ? 'Forward' : 'Backward'}] Layer ${layer}, ${kind} blob ${blob} ` +
          `${pass === 'forward' ? 'data' : 'diff'}: ${formatG(value)}`,
      );
  }

  #learningRate({ iteration, rate }: SolverEvent & { kind: 'learningRate' }): void {
    this.#rate = rate;
    const shown = this.#displayed.at(-1);
    if (shown && shown.iteration === iteration) shown.learningRate = rate;
    this.output.log(trainLines.learningRate(iteration, rate));
  }

  #tested(result: SolverEvent & { kind: 'tested' }): void {
    const { net, iteration, outputs, loss } = result;
    this.#testing = '';
    this.#tests.push({ net, iteration, outputs, loss });
    if (loss !== null) this.output.log(trainLines.testLoss(loss));
    for (const [i, value] of outputs.entries()) this.output.log(trainLines.testOutput(i, value));
    if (this.output.mode === 'terminal')
      this.output.print(`iteration ${iteration}: test net #${net}${this.#outputsText(outputs)}`);
  }

  #outputsText(outputs: readonly OutputValue[]): string {
    return outputs
      .slice(0, MOST_OUTPUTS)
      .map(({ name, value }) => `, ${name} ${formatG(value)}`)
      .join('');
  }

  #status(): void {
    if (this.output.mode !== 'terminal') return;
    const done = this.#iteration - this.#first;
    const all = this.#end - this.#first;
    const perSecond = done / ((performance.now() - this.#started) / 1000);
    this.output.status([
      `${progressBar(done, all, 30)} iteration ${this.#iteration} of ${this.#end}${this.#testing}`,
      `loss ${formatG(this.#loss)}` +
        (this.#rate === null ? '' : `, lr ${formatG(this.#rate)}`) +
        `, ${formatG(perSecond * this.#batch)} img/s, ${formatSeconds((all - done) / perSecond)} left`,
    ]);
  }
}
