import { computeImageMeanCommand } from './commands/compute-image-mean.js';
import { runProgram } from './program.js';

await runProgram('compute_image_mean', computeImageMeanCommand);
