import { ByteSource } from './byte-source.js';
import type { MessageTypes } from './caffe.js';
import {
  callback,
  checkArgument,
  checkOptions,
  path as pathKind,
  required,
  text,
  type OptionKinds,
} from '../util/check-options.js';
import { isTypedArray } from '../util/typed-array.js';
import {
  descriptorOf,
  instantiate,
  missingRequired,
  type AnyMessage,
  type Descriptor,
  type Field,
  type MessageName,
} from './message.js';
import { WireType, wireTypeOf } from './wire-type.js';

/** As protobuf's own bound. */
const maxDepth = 100;

export interface DecodeOptions {
  /** Named in errors. */
  file?: string;
  /** Told of every field that the schema does not know; such fields are dropped. */
  onUnknown?: (messageType: string, fieldNumber: number, offset: number) => void;
}

const decodeOptionKinds: OptionKinds<DecodeOptions> = { file: text, onUnknown: callback };
const bytesKind = { is: 'a Uint8Array', accepts: (value: unknown) => isTypedArray(value, Uint8Array) };

type BulkArray = Float32Array | Float64Array;

/** Gathers a bulk field, which may come in one packed piece (the usual case), in several, or one by one. */
class BulkCollector {
  private array: BulkArray;
  private length = 0;

  constructor(private readonly field: Field) {
    this.array = this.make(0);
  }

  private make(count: number): BulkArray {
    return this.field.type === 'float' ? new Float32Array(count) : new Float64Array(count);
  }

  private grow(count: number): void {
    if (count <= this.array.length) return;
    // The first piece gets an array that fits; only further ones pay for growth.
    const grown = this.make(this.length === 0 ? count : Math.max(count, 2 * this.length));
    grown.set(this.array.subarray(0, this.length));
    this.array = grown;
  }

  packed(source: ByteSource): void {
    const start = source.offset;
    const bytes = source.length();
    const width = this.array.BYTES_PER_ELEMENT;
    if (bytes % width !== 0) {
      source.fail(`${this.field.name}: ${bytes} bytes are no whole number of ${this.field.type}s`, start);
    }
    this.grow(this.length + bytes / width);
    source.readInto(new Uint8Array(this.array.buffer, this.length * width, bytes));
    this.length += bytes / width;
  }

  single(source: ByteSource): void {
    this.grow(this.length + 1);
    this.array[this.length++] = this.field.type === 'float' ? source.float() : source.double();
  }

  finish(): BulkArray {
    return this.length === this.array.length ? this.array : this.array.slice(0, this.length);
  }
}

function decodeScalar(source: ByteSource, field: Field): unknown {
  switch (field.type) {
    case 'int32':
      return source.varint32() | 0;
    case 'uint32':
      return source.varint32();
    case 'int64':
      return source.int64();
    case 'bool':
      return source.varint32() !== 0;
    case 'enum': {
      const value = source.varint32() | 0;
      return field.names!.has(value) ? value : undefined;
    }
    case 'float':
      return source.float();
    case 'double':
      return source.double();
    case 'string':
      return source.text(source.length());
    default:
      return source.bytes(source.length());
  }
}

function skipField(source: ByteSource, wireType: number, number: number, start: number): void {
  switch (wireType) {
    case WireType.VARINT:
      source.varint32();
      return;
    case WireType.FIXED64:
      source.skip(8);
      return;
    case WireType.BYTES:
      source.skip(source.length());
      return;
    case WireType.FIXED32:
      source.skip(4);
      return;
    case WireType.START_GROUP: {
      const open = [number];
      while (open.length > 0) {
        const offset = source.offset;
        const tag = source.varint32();
        const inner = tag & 7;
        if (inner === WireType.END_GROUP) {
          if (open.pop() !== tag >>> 3) source.fail('a group ends that was not open', offset);
        } else if (inner === WireType.START_GROUP) {
          if (open.length >= maxDepth) source.fail(`more than ${maxDepth} nested groups`, offset);
          open.push(tag >>> 3);
        } else {
          skipField(source, inner, tag >>> 3, offset);
        }
      }
      return;
    }
    default:
      source.fail(`wire type ${wireType} of field ${number} does not exist here (corrupt)`, start);
  }
}

function decodeInto(
  source: ByteSource,
  descriptor: Descriptor,
  message: AnyMessage,
  depth: number,
  options: DecodeOptions,
): void {
  if (depth > maxDepth) source.fail(`more than ${maxDepth} nested messages`);
  let bulk: Map<Field, BulkCollector> | undefined;

  while (source.offset < source.limit) {
    const start = source.offset;
    const tag = source.varint32();
    const wireType = tag & 7;
    const number = tag >>> 3;
    if (number === 0) source.fail('a field with number 0 (corrupt, or not this kind of file)', start);
    const field = descriptor.byNumber.get(number);
    const natural = field ? wireTypeOf[field.type] : -1;
    const packed = field?.label === 'repeated' && wireType === WireType.BYTES && natural !== WireType.BYTES;

    if (!field || (wireType !== natural && !packed)) {
      options.onUnknown?.(descriptor.name, number, start);
      skipField(source, wireType, number, start);
    } else if (field.bulk) {
      bulk ??= new Map();
      let collector = bulk.get(field);
      if (!collector) bulk.set(field, (collector = new BulkCollector(field)));
      if (packed) collector.packed(source);
      else collector.single(source);
    } else if (packed) {
      const outer = source.limit;
      source.limit = source.length() + source.offset;
      const list = message[field.name] as unknown[];
      while (source.offset < source.limit) {
        const value = decodeScalar(source, field);
        if (value !== undefined) list.push(value);
      }
      source.limit = outer;
    } else if (field.type === 'message') {
      const inner = descriptorOf(field.typeName!);
      let child: AnyMessage;
      if (field.label === 'repeated') {
        child = instantiate(inner);
        (message[field.name] as unknown[]).push(child);
      } else {
        // A second occurrence is merged into the first, as the format demands.
        child = (message[field.name] as AnyMessage | null) ?? instantiate(inner);
        message[field.name] = child;
      }
      const outer = source.limit;
      const count = source.length();
      source.limit = source.offset + count;
      decodeInto(source, inner, child, depth + 1, options);
      source.limit = outer;
    } else {
      const value = decodeScalar(source, field);
      if (value === undefined) options.onUnknown?.(descriptor.name, number, start);
      else if (field.label === 'repeated') (message[field.name] as unknown[]).push(value);
      else message[field.name] = value;
    }
  }
  if (bulk) {
    for (const [field, collector] of bulk) {
      const earlier = message[field.name] as BulkArray;
      const later = collector.finish();
      if (earlier.length === 0) {
        message[field.name] = later;
      } else {
        // The message came in two pieces that both hold the field.
        const joined =
          field.type === 'float'
            ? new Float32Array(earlier.length + later.length)
            : new Float64Array(earlier.length + later.length);
        joined.set(earlier);
        joined.set(later, earlier.length);
        message[field.name] = joined;
      }
    }
  }
}

function decodeSource<T extends MessageName>(
  type: T,
  source: ByteSource,
  options: DecodeOptions,
): MessageTypes[T] {
  const descriptor = descriptorOf(type);
  const message = instantiate(descriptor);
  decodeInto(source, descriptor, message, 0, options);
  const missing = missingRequired(message);
  if (missing) source.fail(`${type}: required field ${missing} is missing`);
  return message as unknown as MessageTypes[T];
}

/** Decodes a message from memory. Fields of type bytes are views of `bytes`; bulk numbers are copies. */
export function decode<T extends MessageName>(
  type: T,
  bytes: Uint8Array,
  options: DecodeOptions = {},
): MessageTypes[T] {
  checkArgument('decode', 'bytes', bytes, required(bytesKind));
  checkOptions('decode', options, decodeOptionKinds);
  return decodeSource(type, ByteSource.ofBuffer(bytes, options.file), options);
}

/**
 * Decodes a message from a file. Bulk numbers (weights) are read from the file straight into their arrays, so
 * the memory taken is that of the message and one window of 16 KiB. An empty file is an error here: it would
 * decode as an empty message, which nobody means.
 */
export function decodeFile<T extends MessageName>(
  type: T,
  path: string,
  options: DecodeOptions = {},
): MessageTypes[T] {
  checkArgument('decodeFile', 'path', path, required(pathKind));
  checkOptions('decodeFile', options, decodeOptionKinds);
  return ByteSource.withFile(path, (source) => {
    if (source.byteLength === 0) source.fail(`the file is empty; a ${type} was expected`, 0);
    return decodeSource(type, source, options);
  });
}
