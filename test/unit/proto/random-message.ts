import { descriptorOf, instantiate, type AnyMessage, type Field } from '../../../lib/proto/message.js';
import type { Message, MessageName } from '../../../lib/proto/index.js';

/** A small seeded generator (mulberry32): numbers in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const bits = new DataView(new ArrayBuffer(8));

/** Floats of every magnitude, short decimals, and values whose shortest texts end in a tie. */
export function randomFloat(random: () => number): number {
  const kind = Math.floor(random() * 5);
  if (kind === 0) return Math.fround(Math.round(random() * 2000 - 1000) / 10 ** Math.floor(random() * 6));
  if (kind === 1) return Math.fround((1 + Math.floor(random() * 4096)) / 2 ** Math.floor(random() * 24));
  if (kind === 2)
    return [0, -0, 1, Infinity, -Infinity, 2 ** -149, 3.4028234663852886e38][Math.floor(random() * 7)]!;
  bits.setUint32(0, Math.floor(random() * 2 ** 32));
  const value = bits.getFloat32(0);
  return Number.isNaN(value) ? 0.5 : value;
}

function randomDouble(random: () => number): number {
  if (random() < 0.5) return Math.round(random() * 2000 - 1000) / 10 ** Math.floor(random() * 6);
  bits.setUint32(0, Math.floor(random() * 2 ** 32));
  bits.setUint32(4, Math.floor(random() * 2 ** 32));
  const value = bits.getFloat64(0);
  return Number.isNaN(value) ? 0.25 : value;
}

function randomText(random: () => number): string {
  const letters = [
    'a',
    'Z',
    '7',
    ' ',
    '"',
    "'",
    '\\',
    '\n',
    '\t',
    '\x01',
    '\x7f',
    '?',
    'ü',
    '漢',
    '😀',
    '/',
    '#',
  ];
  return Array.from(
    { length: Math.floor(random() * 8) },
    () => letters[Math.floor(random() * letters.length)],
  ).join('');
}

function randomValue(field: Field, random: () => number, depth: number): unknown {
  switch (field.type) {
    case 'float':
      return randomFloat(random);
    case 'double':
      return randomDouble(random);
    case 'bool':
      return random() < 0.5;
    case 'string':
      return randomText(random);
    case 'bytes':
      return Uint8Array.from({ length: Math.floor(random() * 9) }, () => Math.floor(random() * 256));
    case 'enum':
      return [...field.names!.keys()][Math.floor(random() * field.names!.size)];
    case 'message':
      return randomMessage(field.typeName as MessageName, random, depth + 1);
    case 'uint32':
      return Math.floor(random() * (random() < 0.5 ? 200 : 2 ** 32));
    case 'int32':
      return Math.floor((random() - 0.5) * (random() < 0.5 ? 200 : 2 ** 32));
    case 'int64':
      return Math.floor((random() - 0.5) * (random() < 0.5 ? 200 : 2 ** 53));
  }
}

/** A message of the given type with a few of its fields set, all of them valid. */
export function randomMessage(type: MessageName, random: () => number, depth = 0): Message {
  const descriptor = descriptorOf(type);
  const message: AnyMessage = instantiate(descriptor);
  const share = Math.min(1, 5 / descriptor.fields.length) * (depth > 2 ? 0.5 : 1);
  for (const field of descriptor.fields) {
    if (field.label !== 'required' && random() >= share) continue;
    if (field.label !== 'repeated') {
      message[field.name] = randomValue(field, random, depth);
      continue;
    }
    const list = Array.from({ length: Math.floor(random() * 4) }, () => randomValue(field, random, depth));
    message[field.name] = !field.bulk
      ? list
      : field.type === 'float'
        ? Float32Array.from(list as number[])
        : Float64Array.from(list as number[]);
  }
  return message;
}
