import { command } from '../command.js';
import { netOptions, stateOptions } from '../options.js';

export const trainCommand = command({
  name: 'train',
  summary: 'trains or fine-tunes a net (not available in this version)',
  options: {
    solver: { kind: 'string', value: 'FILE', help: "the solver's prototxt" },
    weights: { kind: 'string', value: 'FILES', help: 'pretrained weights to start from' },
    snapshot: { kind: 'string', value: 'FILE', help: 'solver state to resume from' },
    sigint_effect: { kind: 'string', default: 'stop', help: 'snapshot, stop or none' },
    sighup_effect: { kind: 'string', default: 'snapshot', help: 'snapshot, stop or none' },
    iterations: { kind: 'integer', default: 50, help: 'not used' },
    ...stateOptions,
    ...netOptions,
  },
  async run({ output }) {
    output.error(
      'train is not available in this version: nets are quantised, scored and timed, not trained yet',
    );
    return 1;
  },
});
