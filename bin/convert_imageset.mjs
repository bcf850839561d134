#!/usr/bin/env node
import { existsSync } from 'node:fs';

const program = new URL('../dist/cli/convert-imageset.js', import.meta.url);
if (!existsSync(program)) {
  process.stderr.write('convert_imageset: not built yet; run: npm ci && npm run build\n');
  process.exit(1);
}
await import(program.href);
