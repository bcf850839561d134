// npm run quickstart: sets up what is missing, then the whole of the tutorial without any data of yours: draws images,
// takes a small SqueezeNet trained on them (examples/letters), quantises it at 8 bits and at the fewest bits worth
// fine-tuning, fine-tunes, and times float against integer. Everything runs through the command line as you would.
//   npm run quickstart -- --model train_val.prototxt --weights net.caffemodel --data LMDB [more flags of `ristretto quantize`]
// quantises a net of yours instead. Its paths start from where you are.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { flagValue, netFolder } from './quickstart-places.mjs';
import { root, run, setup } from './setup.mjs';

const given = process.argv.slice(2);
const has = (name) => flagValue(given, name) !== null;
const folder = 'quickstart-output';
const at = (name) => `${folder}/${name}`;
const read = (name) => JSON.parse(readFileSync(join(root, folder, name), 'utf8'));
const percent = (accuracy) => `${(100 * accuracy).toFixed(1)} %`;

/** Runs one command of bin/, shown as one would type it, and gives what it wrote with --json. */
function step(text, program, args, json) {
  const all = [...args, `--json=${at(json)}`];
  console.log(`\n== ${text}\n$ node bin/${program}.mjs ${all.join(' ')}`);
  run(process.execPath, [join(root, 'bin', `${program}.mjs`), ...all]);
  return read(json);
}

function quantizeYours() {
  const missing = ['model', 'weights', 'data'].filter((name) => !has(name));
  if (missing.length > 0) {
    console.error(
      `quickstart with a net of yours needs ${missing.map((name) => `--${name}`).join(', ')} too; ` +
        'without any flags it draws its own images.',
    );
    process.exit(2);
  }
  setup();
  // npm changes to the project's folder, and says here where it was called.
  const calledFrom = process.env.INIT_CWD ?? process.cwd();
  const out = join(root, folder, netFolder(given, calledFrom));
  mkdirSync(out, { recursive: true });
  const options = {
    trimming_mode: 'dynamic_fixed_point',
    iterations: 20,
    error_margin: 3,
    model_quantized: join(out, 'quantized.prototxt'),
    json: join(out, 'summary.json'),
  };
  const flags = Object.entries(options).filter(([name]) => !has(name));
  run(
    process.execPath,
    [
      join(root, 'bin', 'ristretto.mjs'),
      'quantize',
      ...flags.map(([name, value]) => `--${name}=${value}`),
      ...given,
    ],
    { cwd: calledFrom },
  );
  if (!has('model_quantized')) console.log(`\nThe quantised net: ${options.model_quantized}`);
}

/** The images of examples/letters, drawn anew so that they are those that the weights were trained on. */
function draw() {
  for (const name of ['train_lmdb', 'test_lmdb'])
    rmSync(join(root, folder, name), { recursive: true, force: true });
  return step(
    'Images of letters, drawn from a seed',
    'ristretto',
    ['draw_imageset', '--seed=1', at('train_lmdb'), at('test_lmdb')],
    'images.json',
  );
}

const model = 'examples/letters/train_val.prototxt';
const weights = 'examples/letters/letters.caffemodel';

function quantize(text, name, margin) {
  return step(
    text,
    'ristretto',
    [
      'quantize',
      `--model=${model}`,
      `--weights=${weights}`,
      `--model_quantized=${at(`${name}.prototxt`)}`,
      '--trimming_mode=dynamic_fixed_point',
      '--iterations=24',
      `--error_margin=${margin}`,
      '--log=terminal',
    ],
    `${name}.json`,
  );
}

function test(text, net, trained, json) {
  const args = ['test', `--model=${net}`, `--weights=${trained}`, '--iterations=24', '--log=terminal'];
  return step(text, 'caffe', args, json).outputs.accuracy;
}

function time(text, net, engine, json) {
  const args = [
    'bench',
    'model',
    `--model=${net}`,
    `--weights=${weights}`,
    `--engine=${engine}`,
    '--iterations=200',
  ];
  return step(text, 'ristretto', [...args, '--log=terminal'], json);
}

const widths = ({ chosen }) => `${chosen.convWeights}-bit weights, ${chosen.activations}-bit activations`;

function table(rows) {
  const size = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows)
    console.log('  ' + row.map((cell, i) => (i ? cell.padStart(size[i]) : cell.padEnd(size[i]))).join('  '));
}

function story() {
  setup();
  mkdirSync(join(root, folder), { recursive: true });
  draw();
  // A margin of 2 % gives the widths that cost nothing worth mending; 15 % those that fine-tuning is for.
  const wide = quantize('How few bits does it need? At most 2 % may be lost', 'quantized', 2);
  const few = quantize('And where 15 % may be lost, before fine-tuning?', 'few_bits', 15);
  step(
    'Fine-tuning the narrow one: trimmed weights forwards, float weights underneath',
    'caffe',
    ['train', '--solver=examples/letters/solver_finetune.prototxt', `--weights=${weights}`, '--log=terminal'],
    'finetuning.json',
  );
  // The last weights, not those that scored best: choosing by the test images would flatter.
  const trained = at('finetuned_iter_2000.caffemodel');
  const narrow = at('few_bits.prototxt');
  const tuned = test('The fine-tuned net, on integer codes', narrow, trained, 'finetuned.json');
  const float = time('Speed in float32', model, 'simulate', 'time_float.json');
  const integer = time('Speed on integer codes', at('quantized.prototxt'), 'integer', 'time_integer.json');
  const integerFew = time('Speed of the narrow net', narrow, 'integer', 'time_few_bits.json');

  const speed = ({ imagesPerSecond }) => Math.round(imagesPerSecond).toString();
  const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
  console.log('\n== The story\n');
  table([
    ['net', 'accuracy', 'parameters', 'images/s'],
    ['float32', percent(wide.baseline), kilobytes(wide.parameterBytes.before), speed(float)],
    [widths(wide), percent(wide.combined), kilobytes(wide.parameterBytes.after), speed(integer)],
    [widths(few), percent(few.combined), kilobytes(few.parameterBytes.after), speed(integerFew)],
    ['  … fine-tuned', percent(tuned), kilobytes(few.parameterBytes.after), speed(integerFew)],
  ]);
  const lost = wide.baseline - few.combined;
  const regained = tuned - few.combined;
  console.log(
    `\nFew bits cost ${(100 * lost).toFixed(1)} points of accuracy; fine-tuning brought ${(100 * regained).toFixed(1)} of them back.` +
      `\nNets, weights and figures as data: ${join(root, folder)}`,
  );
}

if (given.length > 0) quantizeYours();
else {
  if (!existsSync(join(root, weights))) {
    console.error(`${weights} is missing: examples/letters/train.sh trains it.`);
    process.exit(1);
  }
  story();
}
