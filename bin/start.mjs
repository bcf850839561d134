import { existsSync } from 'node:fs';

/** Runs a program of dist/cli; where it cannot be loaded, says what to do. */
export async function start(name, file) {
  const program = new URL(`../dist/cli/${file}.js`, import.meta.url);
  if (!existsSync(program)) {
    process.stderr.write(`${name}: not built yet; run: npm ci && npm run build\n`);
    process.exitCode = 1;
    return;
  }
  try {
    await import(program.href);
  } catch (error) {
    // Only loading fails here: a program reports its own errors.
    process.stderr.write(`${name}: ${error?.message ?? error}\n`);
    if (process.env.RISTRETTO_DEBUG) process.stderr.write(`${error?.stack}\n`);
    process.exitCode = 1;
  }
}
