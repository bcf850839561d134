// Memory that blobs share, and give back.
import { describe, expect, it } from 'vitest';
import { Blob } from '../../../lib/blob/index.js';

const gone = /blob '\w+' was freed/;

describe('a freed blob', () => {
  it('has no memory any more, and takes none', () => {
    const blob = new Blob('a', [2]);
    const view = blob.data;
    blob.diff.fill(1);
    const tensor = blob.tensor();
    blob.free();
    expect(view.length).toBe(0);
    expect(tensor).toBeDefined();
    expect(() => blob.data).toThrow(gone);
    expect(() => blob.diff).toThrow(gone);
    expect(() => blob.tensor()).toThrow(gone);
    blob.free();
  });

  it('keeps its memory for those that share it until the last one leaves', () => {
    const [owner, first, second] = ['o', 'f', 's'].map((name) => new Blob(name, [3]));
    owner.set([1, 2, 3]);
    first.shareData(owner);
    second.shareData(first);
    owner.free();
    first.free();
    const view = second.data;
    expect([...view]).toEqual([1, 2, 3]);
    second.unshare();
    expect(view.length).toBe(0);
    expect([...second.data]).toEqual([0, 0, 0]);
    expect(() => owner.data).toThrow(gone);
  });

  it('is left by a blob that shares another one from then on', () => {
    const [owner, other, sharer] = ['o', 't', 's'].map((name) => new Blob(name, [1]));
    other.set([5]);
    sharer.shareData(owner);
    const view = sharer.data;
    owner.free();
    expect(view.length).toBe(1);
    sharer.shareData(other);
    expect(view.length).toBe(0);
    expect([...sharer.data]).toEqual([5]);
  });
});
