import { describe, expect, it } from 'vitest';
import { blobCount, blobData, blobDiff, blobShape, blobShapeFits, create } from '../../../lib/proto/index.js';

describe('blobShape', () => {
  it('takes shape, or the four old fields before it', () => {
    expect(blobShape(create('BlobProto', { shape: { dim: [2, 3] } }))).toEqual([2, 3]);
    expect(blobShape(create('BlobProto', { num: 1, width: 5, shape: { dim: [2] } }))).toEqual([1, 0, 0, 5]);
    expect(blobShape(create('BlobProto'))).toEqual([]);
  });
});

describe('blobShapeFits', () => {
  it('compares axis by axis', () => {
    const blob = create('BlobProto', { shape: { dim: [2, 3] } });
    expect(blobShapeFits(blob, [2, 3])).toBe(true);
    expect(blobShapeFits(blob, [1, 2, 3])).toBe(false);
    expect(blobShapeFits(blob, [3, 2])).toBe(false);
  });

  it('fills old shapes up with ones in front', () => {
    const blob = create('BlobProto', { num: 1, channels: 1, height: 2, width: 3 });
    expect(blobShapeFits(blob, [2, 3])).toBe(true);
    expect(blobShapeFits(blob, [1, 1, 2, 3])).toBe(true);
    expect(blobShapeFits(blob, [2, 3, 1])).toBe(false);
    expect(blobShapeFits(blob, [1, 1, 1, 2, 3])).toBe(false);
  });
});

describe('blobData', () => {
  it('gives the stored array itself, or doubles rounded', () => {
    const blob = create('BlobProto', { shape: { dim: [2] }, data: [1, 2] });
    expect(blobData(blob)).toBe(blob.data);
    expect(blobData(create('BlobProto', { shape: { dim: [1] }, double_data: [0.1] }))).toEqual(
      Float32Array.of(0.1),
    );
  });

  it('refuses numbers that do not fit the shape, and shapes that fit nothing', () => {
    const place = { file: 'a.caffemodel', layer: 'conv1' };
    const short = create('BlobProto', { shape: { dim: [1000, 1000, 1000, 1000] }, data: [1] });
    expect(() => blobData(short, place)).toThrow(
      "a.caffemodel: layer 'conv1': data: a blob of shape [1000, 1000, 1000, 1000] needs 1000000000000 values and has 1",
    );
    for (const dim of [[-1], [2 ** 30, 2 ** 30], [-2, -3]]) {
      expect(() => blobCount(create('BlobProto', { shape: { dim } }), place)).toThrow(
        /cannot have the shape/,
      );
    }
  });
});

describe('blobDiff', () => {
  it('is null where there is none', () => {
    expect(blobDiff(create('BlobProto', { shape: { dim: [1] }, data: [1] }))).toBeNull();
    expect(blobDiff(create('BlobProto', { shape: { dim: [1] }, diff: [3] }))).toEqual(Float32Array.of(3));
  });
});
