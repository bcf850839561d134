#!/usr/bin/env node
import { existsSync } from 'node:fs';

const program = new URL('../dist/cli/compute-image-mean.js', import.meta.url);
if (!existsSync(program)) {
  process.stderr.write('compute_image_mean: not built yet; run: npm ci && npm run build\n');
  process.exit(1);
}
await import(program.href);
