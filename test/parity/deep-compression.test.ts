// The Deep Compression release of SqueezeNet decodes to the caffemodel that was made of it, bit by bit.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { blobData, readNetBinary } from '../../lib/proto/index.js';
import { run } from './cli.js';
import { hasReference, reference } from './reference.js';

const folder = mkdtempSync(join(tmpdir(), 'deep-compression-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(!hasReference)('deep compression (skipped where RISTRETTO_REFERENCE is absent)', () => {
  it('decodes SqueezeNet to every blob of its caffemodel', async () => {
    const net = (name: string) => join(reference, 'data/squeezenet', name);
    const out = join(folder, 'out.caffemodel');
    const args = [`--model=${net('deploy.prototxt')}`, net('compressed_SqueezeNet.net'), out];
    const { code, stderr } = await run('ristretto', ['convert', 'deep_compression', ...args]);
    expect(code, stderr).toBe(0);
    const blobs = (path: string) =>
      readNetBinary(path).layer.flatMap(({ name, blobs }) =>
        blobs.map((blob, i) => [`${name}[${i}]`, Buffer.from(blobData(blob).slice().buffer)] as const),
      );
    const expected = blobs(net('squeezenet_v1.0.caffemodel'));
    expect(expected).toHaveLength(52);
    const got = new Map(blobs(out));
    expect(got.size).toBe(52);
    for (const [name, bytes] of expected) expect(got.get(name)?.equals(bytes), name).toBe(true);
  });
});
