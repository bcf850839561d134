// The version stands in package.json, in CMakeLists.txt and in the C header.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';

const read = (file: string) => readFileSync(resolve(import.meta.dirname, '../..', file), 'utf8');

it('is the same everywhere', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string };
  expect(read('CMakeLists.txt')).toContain(`project(ristretto VERSION ${version} `);
  const header = read('native/include/ristretto.h');
  const part = (name: string) => header.match(new RegExp(`#define RISTRETTO_VERSION_${name} (\\d+)`))?.[1];
  expect([part('MAJOR'), part('MINOR'), part('PATCH')].join('.')).toBe(version);
});
