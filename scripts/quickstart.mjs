// npm run quickstart: sets up what is missing, then quantises a network: the first step of the tutorial.
//   npm run quickstart -- --model train_val.prototxt --weights net.caffemodel --data LMDB [more flags of `ristretto quantize`]
// Without --model, --weights and --data it takes SqueezeNet from the folder RISTRETTO_REFERENCE names.
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { root, run, setup } from './setup.mjs';

const given = process.argv.slice(2);
const has = (name) => given.some((a) => a === `--${name}` || a.startsWith(`--${name}=`));

const reference = resolve(root, process.env.RISTRETTO_REFERENCE || '../shared');
const defaults = {
  model: join(reference, 'data/squeezenet/train_val.prototxt'),
  weights: join(reference, 'data/squeezenet/squeezenet_v1.0.caffemodel'),
  data: join(reference, 'data/imagenet/lmdb'),
};
const missing = Object.keys(defaults).filter((name) => !has(name));
const absent = missing.filter((name) => !existsSync(defaults[name]));
if (absent.length > 0) {
  console.error(
    `quickstart needs ${absent.map((name) => `--${name}`).join(', ')}:\n` +
      '  npm run quickstart -- --model train_val.prototxt --weights net.caffemodel --data LMDB\n' +
      'or RISTRETTO_REFERENCE set to a folder with data/squeezenet and data/imagenet/lmdb.',
  );
  process.exit(2);
}

setup();
const output = join(root, 'quickstart-output');
mkdirSync(output, { recursive: true });
const quantized = join(output, 'quantized.prototxt');
const flags = missing.map((name) => `--${name}=${defaults[name]}`);
const options = {
  trimming_mode: 'dynamic_fixed_point',
  iterations: 20,
  error_margin: 3,
  model_quantized: quantized,
};
for (const [name, value] of Object.entries(options)) if (!has(name)) flags.push(`--${name}=${value}`);
const json = join(output, 'summary.json');
if (!has('json')) flags.push(`--json=${json}`);
run(process.execPath, [join(root, 'bin', 'ristretto.mjs'), 'quantize', ...flags, ...given]);
if (!has('model_quantized')) console.log(`\nThe quantised net: ${quantized}\nThe figures as data: ${json}`);
