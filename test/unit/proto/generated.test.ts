import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

it('the generated types and table are those of proto/caffe.proto', () => {
  const result = spawnSync(process.execPath, ['scripts/generate-proto-types.mjs', '--check'], {
    encoding: 'utf8',
  });
  expect(result.stderr).toBe('');
  expect(result.status).toBe(0);
});
