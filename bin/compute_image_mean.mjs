#!/usr/bin/env node
import { start } from './start.mjs';

await start('compute_image_mean', 'compute-image-mean');
