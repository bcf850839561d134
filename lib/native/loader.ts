import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NativeAddon } from './surface.js';

/** The package's folder: the nearest one above this file that holds binding.gyp's sources. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('ristretto: package.json not found above ' + import.meta.url);
    folder = parent;
  }
  return folder;
}

/** Loads build/Release or a prebuilt binary; where neither loads, says exactly what to run. */
function load(): NativeAddon {
  const require = createRequire(import.meta.url);
  const root = packageRoot();
  try {
    // GPUs that the processor plays, for tests: the addon itself where it was built without nvcc.
    const emulated = join(root, 'build/Release/ristretto_emulated.node');
    if (process.env.RISTRETTO_EMULATED_GPU && existsSync(emulated)) return require(emulated) as NativeAddon;
    return require('node-gyp-build')(root) as NativeAddon;
  } catch (error) {
    throw new Error(
      `ristretto's native addon could not be loaded for ${process.platform}-${process.arch}, Node ${process.version}.\n` +
        `Build it with: cd ${root} && node scripts/install.mjs\n` +
        `(needs cmake 3.20 and a C++20 compiler; package managers that skip install scripts leave this step to you)\n` +
        `Cause: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

export const addon: NativeAddon = load();
