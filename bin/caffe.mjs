#!/usr/bin/env node
import { existsSync } from 'node:fs';

const program = new URL('../dist/cli/caffe.js', import.meta.url);
if (!existsSync(program)) {
  process.stderr.write('caffe: not built yet; run: npm ci && npm run build\n');
  process.exit(1);
}
await import(program.href);
