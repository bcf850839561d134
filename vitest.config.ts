import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/{unit,parity,structure,stress}/**/*.test.ts'],
    // The addon runs threads of its own, and a parity case holds a whole net: few workers, each a process.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
