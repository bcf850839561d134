import { runProgram } from './program.js';
import { computeImageMeanRow } from './ristretto-commands.js';

await runProgram('compute_image_mean', computeImageMeanRow);
