import { FormatError } from '../errors/index.js';
import { checkArgument, path as pathKind, required } from '../util/check-options.js';
import { writeFileAtomic, type ByteSink } from '../util/index.js';
import {
  checkMessage,
  checkValue,
  descriptorOf,
  has,
  isMessage,
  missingRequired,
  type AnyMessage,
  type Field,
  type Message,
} from './message.js';
import { WireType, wireTypeOf } from './wire-type.js';

type Sizes = Map<AnyMessage, number>;

function varintSize(value: number): number {
  if (value < 0) return 10;
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) ++size;
  return size;
}

/** Bytes of one value, without its tag; a message's include its length. */
function valueSize(field: Field, value: unknown, sizes: Sizes): number {
  switch (field.type) {
    case 'float':
      return 4;
    case 'double':
      return 8;
    case 'bool':
      return 1;
    case 'string': {
      const size = Buffer.byteLength(value as string);
      return varintSize(size) + size;
    }
    case 'bytes': {
      const size = (value as Uint8Array).byteLength;
      return varintSize(size) + size;
    }
    case 'message': {
      const size = messageSize(value as AnyMessage, sizes);
      return varintSize(size) + size;
    }
    default:
      return varintSize(value as number);
  }
}

function packedSize(field: Field, list: ArrayLike<unknown>, sizes: Sizes): number {
  if (field.type === 'float') return 4 * list.length;
  if (field.type === 'double') return 8 * list.length;
  let size = 0;
  for (let i = 0; i < list.length; ++i) size += valueSize(field, list[i], sizes);
  return size;
}

function checkStored(field: Field, value: unknown): void {
  if (field.type === 'message' && !isMessage(value)) {
    throw new FormatError('not a message: make it with create()', { field: field.name });
  }
  checkValue(field, value);
}

/** Checks the message and everything below it, and notes each message's size. */
function messageSize(message: AnyMessage, sizes: Sizes): number {
  let size = 0;
  for (const field of descriptorOf(message.$type).fields) {
    if (!has(message, field.name)) continue;
    const tag = varintSize(field.number * 8);
    const value = message[field.name];
    if (field.label !== 'repeated') {
      checkStored(field, value);
      size += tag + valueSize(field, value, sizes);
      continue;
    }
    const list = value as ArrayLike<unknown>;
    if (!field.bulk) for (let i = 0; i < list.length; ++i) checkStored(field, list[i]);
    if (field.packed) {
      const bytes = packedSize(field, list, sizes);
      if (bytes >= 2 ** 31) {
        throw new FormatError('more than 2 GiB: the format cannot hold it', { field: field.name });
      }
      size += tag + varintSize(bytes) + bytes;
    } else {
      for (let i = 0; i < list.length; ++i) size += tag + valueSize(field, list[i], sizes);
    }
  }
  sizes.set(message, size);
  return size;
}

/** Collects small values in a buffer and hands large ones on as they are. */
class WireWriter {
  private readonly buffer = new Uint8Array(64 * 1024);
  private readonly view = new DataView(this.buffer.buffer);
  private used = 0;

  constructor(private readonly sink: ByteSink) {}

  private room(count: number): void {
    if (this.used + count > this.buffer.byteLength) this.flush();
  }

  flush(): void {
    if (this.used > 0) this.sink.write(this.buffer.subarray(0, this.used));
    this.used = 0;
  }

  bytes(bytes: Uint8Array): void {
    if (bytes.byteLength > this.buffer.byteLength) {
      this.flush();
      this.sink.write(bytes);
      return;
    }
    this.room(bytes.byteLength);
    this.buffer.set(bytes, this.used);
    this.used += bytes.byteLength;
  }

  varint(value: number): void {
    this.room(10);
    if (value < 0) {
      let rest = BigInt.asUintN(64, BigInt(value));
      for (; rest >= 128n; rest >>= 7n) this.buffer[this.used++] = Number(rest & 127n) | 128;
      this.buffer[this.used++] = Number(rest);
      return;
    }
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.buffer[this.used++] = (rest % 128) | 128;
    this.buffer[this.used++] = rest;
  }

  float(value: number): void {
    this.room(4);
    this.view.setFloat32(this.used, value, true);
    this.used += 4;
  }

  double(value: number): void {
    this.room(8);
    this.view.setFloat64(this.used, value, true);
    this.used += 8;
  }
}

function writeValue(writer: WireWriter, field: Field, value: unknown, sizes: Sizes): void {
  switch (field.type) {
    case 'float':
      return writer.float(value as number);
    case 'double':
      return writer.double(value as number);
    case 'bool':
      return writer.varint(value ? 1 : 0);
    case 'string':
    case 'bytes': {
      const bytes = typeof value === 'string' ? Buffer.from(value) : (value as Uint8Array);
      writer.varint(bytes.byteLength);
      return writer.bytes(bytes);
    }
    case 'message':
      writer.varint(sizes.get(value as AnyMessage)!);
      return writeMessage(writer, value as AnyMessage, sizes);
    default:
      return writer.varint(value as number);
  }
}

function writeMessage(writer: WireWriter, message: AnyMessage, sizes: Sizes): void {
  for (const field of descriptorOf(message.$type).fields) {
    if (!has(message, field.name)) continue;
    const value = message[field.name];
    const tag = field.number * 8 + wireTypeOf[field.type];
    if (field.label !== 'repeated') {
      writer.varint(tag);
      writeValue(writer, field, value, sizes);
      continue;
    }
    const list = value as ArrayLike<unknown>;
    if (field.packed) {
      writer.varint(field.number * 8 + WireType.BYTES);
      writer.varint(packedSize(field, list, sizes));
    }
    if (field.packed && field.bulk) {
      const array = list as unknown as Float32Array;
      writer.bytes(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
      continue;
    }
    for (let i = 0; i < list.length; ++i) {
      if (!field.packed) writer.varint(tag);
      writeValue(writer, field, list[i], sizes);
    }
  }
}

function encodeTo(message: Message, sizes: Sizes, sink: ByteSink): void {
  const writer = new WireWriter(sink);
  writeMessage(writer, message as AnyMessage, sizes);
  writer.flush();
}

function measure(message: Message, file?: string): { size: number; sizes: Sizes } {
  const sizes: Sizes = new Map();
  const size = messageSize(message as AnyMessage, sizes);
  const missing = missingRequired(message);
  if (missing) throw new FormatError(`required field ${missing} is missing`, { file, field: message.$type });
  return { size, sizes };
}

/** Encodes a message; fields in order of their numbers, as protobuf's own encoders do. */
export function encode(message: Message): Uint8Array {
  checkMessage('encode', 'message', message);
  const { size, sizes } = measure(message);
  const result = new Uint8Array(size);
  let offset = 0;
  encodeTo(message, sizes, {
    write(bytes) {
      result.set(bytes, offset);
      offset += bytes.byteLength;
    },
  });
  return result;
}

/** Encodes a message into a file, which is replaced as a whole; large arrays are written from where they lie. */
export function encodeFile(path: string, message: Message): void {
  checkArgument('encodeFile', 'path', path, required(pathKind));
  checkMessage('encodeFile', 'message', message);
  const { sizes } = measure(message, path);
  writeFileAtomic(path, (sink) => encodeTo(message, sizes, sink));
}
