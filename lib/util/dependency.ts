import { createRequire } from 'node:module';
import { join } from 'node:path';
import { isError, RistrettoError } from '../errors/index.js';
import { packageRoot } from './package-root.js';

/**
 * Loads a dependency that comes with a binary, from where the package finds it. An import would be followed by an
 * application's bundler, which takes the JavaScript along and leaves the binary behind.
 */
export function loadDependency<T>(name: string): T {
  try {
    return createRequire(join(packageRoot(), 'package.json'))(name) as T;
  } catch (error) {
    const [reason] = (isError(error) ? error.message : String(error)).split('\n');
    throw new RistrettoError(
      `the package '${name}' cannot be loaded (${reason}): install the dependencies again, for this platform`,
      { cause: error },
    );
  }
}
