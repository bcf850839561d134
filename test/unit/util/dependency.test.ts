import { expect, it } from 'vitest';
import { loadDependency } from '../../../lib/util/dependency.js';

it('a dependency that is not installed is told in one line', () => {
  expect(() => loadDependency('no-such-package')).toThrow(
    /^the package 'no-such-package' cannot be loaded \(Cannot find module 'no-such-package'\): install [^\n]*$/,
  );
  expect(loadDependency<{ ClassicLevel: unknown }>('classic-level').ClassicLevel).toBeTypeOf('function');
});
