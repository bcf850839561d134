import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { RistrettoError } from '../errors/index.js';
import { packageRoot } from '../util/package-root.js';
import type { NativeAddon } from './surface.js';

/** Loads build/Release or a prebuilt binary; where neither loads, says exactly what to run. */
function load(): NativeAddon {
  const root = packageRoot();
  // As the package itself would: a bundle that uses the installed package has no node_modules of its own.
  const require = createRequire(join(root, 'package.json'));
  try {
    // GPUs that the processor plays, for tests: the addon itself where it was built without nvcc.
    const emulated = join(root, 'build/Release/ristretto_emulated.node');
    if (process.env.RISTRETTO_EMULATED_GPU && existsSync(emulated)) return require(emulated) as NativeAddon;
    return require('node-gyp-build')(root) as NativeAddon;
  } catch (error) {
    throw new RistrettoError(
      `ristretto's native addon could not be loaded for ${process.platform}-${process.arch}, Node ${process.version}.\n` +
        `Build it with: cd ${root} && node scripts/install.mjs\n` +
        `(needs cmake 3.20 and a C++20 compiler; package managers that skip install scripts leave this step to you)\n` +
        `Cause: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

export const addon: NativeAddon = load();
