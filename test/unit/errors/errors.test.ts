import { describe, expect, it } from 'vitest';
import { FormatError, NetError, RistrettoError } from '../../../lib/errors/index.js';

describe('RistrettoError', () => {
  it('starts its message with the file, the layer and the field', () => {
    const error = new NetError('3 axes expected', {
      file: 'a.prototxt',
      layer: 'conv1',
      field: 'kernel_size',
    });
    expect(error.message).toBe("a.prototxt: layer 'conv1': kernel_size: 3 axes expected");
    expect(error.reason).toBe('3 axes expected');
    expect(error).toBeInstanceOf(RistrettoError);
    expect(error.name).toBe('NetError');
  });

  it('keeps its cause', () => {
    const cause = new Error('disk');
    expect(new RistrettoError('no', { cause }).cause).toBe(cause);
  });
});

describe('FormatError', () => {
  it('gives line and column of a text', () => {
    const error = new FormatError('no such field', { file: 'a.prototxt', line: 3, column: 7 });
    expect(error.message).toBe('a.prototxt:3:7: no such field');
    expect([error.file, error.line, error.column]).toEqual(['a.prototxt', 3, 7]);
    expect(new FormatError('x', { line: 3, column: 7 }).message).toBe('line 3:7: x');
  });

  it('gives the offset in a binary file', () => {
    const error = new FormatError('truncated', { file: 'a.caffemodel', offset: 0 });
    expect(error.message).toBe('a.caffemodel, byte 0: truncated');
  });
});
