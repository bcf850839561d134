import { FormatError, RistrettoError, UsageError } from '../errors/index.js';
import {
  checkArgument,
  checkOptions,
  flag,
  having,
  required,
  shown,
  text,
  type Kind,
} from '../util/check-options.js';
import { isTypedArray } from '../util/typed-array.js';
import { positionOf, setPosition } from './position.js';
import type { MessageTypes } from './caffe.js';
import { caffeEnums, caffeTable } from './caffe-table.js';

/** Every message: `$type` is its name in the schema. It lives on the prototype, so it is no field. */
export interface Message<T extends string = string> {
  readonly $type: T;
}

export type MessageName = keyof MessageTypes;

type InitValue<V> = V extends Float32Array
  ? ArrayLike<number>
  : V extends Float64Array
    ? ArrayLike<number>
    : V extends Uint8Array
      ? Uint8Array
      : V extends (infer E)[]
        ? readonly InitValue<E>[]
        : V extends Message
          ? V | Init<V>
          : V;

/** Some of a message's fields; sub-messages may be given as plain objects. */
export type Init<M> = { [K in keyof M as K extends '$type' ? never : K]?: InitValue<M[K]> | undefined };

export type ScalarType =
  'int32' | 'int64' | 'uint32' | 'float' | 'double' | 'bool' | 'string' | 'bytes' | 'enum' | 'message';

/** One field of a message. */
export interface Field {
  readonly name: string;
  readonly number: number;
  readonly label: 'optional' | 'required' | 'repeated';
  readonly packed: boolean;
  readonly type: ScalarType;
  /** The enum's or the message's name. */
  readonly typeName?: string;
  /** Values of an enum by name. */
  readonly values?: Readonly<Record<string, number>>;
  readonly names?: ReadonlyMap<number, string>;
  /** What an unset field reads as; null for a message. */
  readonly defaultValue: unknown;
  /** Numbers that come in bulk lie in a typed array: Float32Array for float, Float64Array for double. */
  readonly bulk: boolean;
}

/** A message type. */
export interface Descriptor {
  readonly name: MessageName;
  /** In order of their numbers, which is also the order in files and in printed text. */
  readonly fields: readonly Field[];
  readonly byName: ReadonlyMap<string, Field>;
  readonly byNumber: ReadonlyMap<number, Field>;
  readonly repeated: readonly Field[];
  readonly required: readonly Field[];
  readonly prototype: object;
}

/** A message seen as a bag of fields, for code that walks descriptors. */
export type AnyMessage = Message & Record<string, unknown>;

/**
 * A row of the schema's table: name, number, label ('optional', 'required', 'repeated', 'packed', 'bulk' and
 * 'bulk packed'; the last four are repeated), type, default.
 */
export type FieldRow = readonly [
  name: string,
  number: number,
  label: 'optional' | 'required' | 'repeated' | 'packed' | 'bulk' | 'bulk packed',
  type: string,
  defaultValue?: string | number | boolean,
];

const scalars = new Set<string>(['int32', 'int64', 'uint32', 'float', 'double', 'bool', 'string', 'bytes']);

function scalarDefault(type: ScalarType, values?: Readonly<Record<string, number>>): unknown {
  switch (type) {
    case 'message':
      return null;
    case 'string':
      return '';
    case 'bytes':
      return new Uint8Array(0);
    case 'bool':
      return false;
    case 'enum':
      return Object.values(values!)[0];
    default:
      return 0;
  }
}

function makeField([name, number, label, type, defaultValue]: FieldRow): Field {
  const values = caffeEnums[type];
  const kind = (scalars.has(type) ? type : values ? 'enum' : 'message') as ScalarType;
  const given =
    defaultValue !== undefined && kind === 'enum' ? values![defaultValue as string] : defaultValue;
  return {
    name,
    number,
    label: label === 'optional' || label === 'required' ? label : 'repeated',
    packed: label.endsWith('packed'),
    type: kind,
    typeName: kind === 'enum' || kind === 'message' ? type : undefined,
    values,
    names: values && new Map(Object.entries(values).map(([key, value]) => [value, key])),
    defaultValue: given ?? scalarDefault(kind, values),
    bulk: label.startsWith('bulk'),
  };
}

const descriptors = new Map<string, Descriptor>();

/** The descriptor of a message type; made at first use. */
export function descriptorOf(type: string): Descriptor {
  const known = descriptors.get(type);
  if (known) return known;
  const rows = typeof type === 'string' && Object.hasOwn(caffeTable, type) ? caffeTable[type] : undefined;
  if (!rows) throw new RistrettoError(`${shown(type)} is not a message type`);
  const fields = rows.map(makeField).sort((a, b) => a.number - b.number);
  const prototype: Record<string, unknown> = {};
  Object.defineProperty(prototype, '$type', { value: type, enumerable: false });
  for (const field of fields) {
    // Writable: an assignment on an instance must make its own property.
    if (field.label !== 'repeated') prototype[field.name] = field.defaultValue;
  }
  const descriptor: Descriptor = {
    name: type as MessageName,
    fields,
    byName: new Map(fields.map((field) => [field.name, field])),
    byNumber: new Map(fields.map((field) => [field.number, field])),
    repeated: fields.filter((field) => field.label === 'repeated'),
    required: fields.filter((field) => field.label === 'required'),
    prototype,
  };
  descriptors.set(type, descriptor);
  return descriptor;
}

export function emptyRepeated(field: Field): unknown[] | Float32Array | Float64Array {
  if (!field.bulk) return [];
  return field.type === 'float' ? new Float32Array(0) : new Float64Array(0);
}

/** A new message of a descriptor's type with nothing set. */
export function instantiate(descriptor: Descriptor): AnyMessage {
  const message = Object.create(descriptor.prototype) as AnyMessage;
  for (const field of descriptor.repeated) message[field.name] = emptyRepeated(field);
  return message;
}

export function isMessage(value: unknown): value is AnyMessage {
  // A plain object may have such a field of its own, and none of a message's.
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Message).$type === 'string' &&
    !Object.hasOwn(value, '$type')
  );
}

/** A message of one type, as the readers and `create` give it. */
export function messageKind(type: MessageName): Kind {
  return { is: `a ${type}`, accepts: (value) => isMessage(value) && value.$type === type };
}

/** Throws where an argument is no message: of `type`, or of any where that is left out. */
export function checkMessage(what: string, name: string, value: unknown, type?: MessageName): void {
  if (isMessage(value) && (type === undefined || value.$type === type)) return;
  const wanted = type === undefined ? { is: 'a message', accepts: isMessage } : messageKind(type);
  checkArgument(what, name, value, required(wanted));
}

const integerLimits: Partial<Record<ScalarType, readonly [number, number]>> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};

/**
 * Checks one value (an element, where the field is repeated) against its field and returns it as the field
 * stores it: floats rounded to float32, plain objects made into messages.
 */
export function checkValue(field: Field, value: unknown): unknown {
  const fail = (expected: string): never => {
    throw new FormatError(`${expected} expected, got ${shown(value)}`, {
      field: field.name,
    });
  };
  switch (field.type) {
    case 'float':
      return typeof value === 'number' ? Math.fround(value) : fail('a number');
    case 'double':
      return typeof value === 'number' ? value : fail('a number');
    case 'bool':
      return typeof value === 'boolean' ? value : fail('true or false');
    case 'string':
      return typeof value === 'string' ? value : fail('a string');
    case 'bytes':
      return isTypedArray(value, Uint8Array) ? value : fail('bytes');
    case 'enum':
      return field.names!.has(value as number) ? value : fail(`a value of ${field.typeName}`);
    case 'message':
      if (isMessage(value)) return value.$type === field.typeName ? value : fail(`a ${field.typeName}`);
      return typeof value === 'object' && value !== null
        ? create(field.typeName as MessageName, value as object)
        : fail(`a ${field.typeName}`);
    default: {
      const [low, high] = integerLimits[field.type]!;
      const valid = Number.isInteger(value) && (value as number) >= low && (value as number) <= high;
      return valid ? value : fail(`an integer (${field.type})`);
    }
  }
}

/**
 * Makes a message. Fields that are left out read as the schema's defaults; repeated ones as empty arrays of
 * their own, sub-messages as null. Arrays in `init` are copied, messages in it are taken as they are.
 */
export function create<T extends MessageName>(type: T, init: Init<MessageTypes[T]> = {}): MessageTypes[T] {
  const descriptor = descriptorOf(type);
  if (typeof init !== 'object' || init === null)
    throw new UsageError(`create takes an object of fields, not ${shown(init)}`, { field: type });
  const message = instantiate(descriptor);
  for (const [key, value] of Object.entries(init)) {
    if (value === undefined || value === null) continue;
    const field = descriptor.byName.get(key);
    if (!field) throw new RistrettoError(`${type} has no field '${key}'`);
    if (field.label === 'repeated' && !isList(value))
      throw new FormatError('a list expected', { field: key });
    if (field.bulk) {
      message[key] = (field.type === 'float' ? Float32Array : Float64Array).from(value as ArrayLike<number>);
    } else if (field.label === 'repeated') {
      message[key] = Array.from(value as Iterable<unknown>, (element) => checkValue(field, element));
    } else {
      message[key] = checkValue(field, value);
    }
  }
  return message as unknown as MessageTypes[T];
}

function isList(value: unknown): boolean {
  return typeof value === 'object' && (Symbol.iterator in (value as object) || 'length' in (value as object));
}

const fieldName = required(text);

/** Whether a field is set; a repeated one: whether it has elements. A default that nobody set does not count. */
export function has<M extends Message>(message: M, field: Exclude<keyof M, '$type'> & string): boolean {
  checkMessage('has', 'message', message);
  checkArgument('has', 'field', field, fieldName);
  if (!Object.hasOwn(message, field)) return false;
  const value = message[field] as unknown;
  if (value === null || value === undefined) return false;
  return Array.isArray(value) || isTypedArray(value, Float32Array) || isTypedArray(value, Float64Array)
    ? value.length > 0
    : true;
}

/** Unsets a field. */
export function clear<M extends Message>(message: M, name: Exclude<keyof M, '$type'> & string): void {
  checkMessage('clear', 'message', message);
  checkArgument('clear', 'name', name, fieldName);
  const field = descriptorOf(message.$type).byName.get(name);
  if (!field) throw new RistrettoError(`${message.$type} has no field '${name}'`);
  const bag = message as unknown as Record<string, unknown>;
  if (field.label === 'repeated') bag[name] = emptyRepeated(field);
  else delete bag[name];
}

/** A deep copy; only set fields are set in it. `shareArrays` leaves typed arrays shared with the original. */
export function clone<M extends Message>(message: M, options: { shareArrays?: boolean } = {}): M {
  checkMessage('clone', 'message', message);
  checkOptions('clone', options, cloneOptionKinds);
  return copyOf(message, options.shareArrays ?? false);
}

const cloneOptionKinds = { shareArrays: flag };

function copyOf<M extends Message>(message: M, shareArrays: boolean): M {
  const copy = (value: unknown): unknown => {
    if (isMessage(value)) return copyOf(value, shareArrays);
    if (ArrayBuffer.isView(value)) return shareArrays ? value : (value as Uint8Array).slice();
    return Array.isArray(value) ? value.map(copy) : value;
  };
  const result = instantiate(descriptorOf(message.$type));
  for (const [key, value] of Object.entries(message)) result[key] = copy(value);
  setPosition(result, positionOf(message));
  return result as unknown as M;
}

/** Whether two messages have the same type and the same fields set to the same values (NaN equals NaN). */
export function equals(a: Message, b: Message): boolean {
  checkMessage('equals', 'a', a);
  checkMessage('equals', 'b', b);
  const same = (x: unknown, y: unknown): boolean => {
    if (isMessage(x)) return isMessage(y) && equals(x, y);
    if (Array.isArray(x) || ArrayBuffer.isView(x)) {
      const [left, right] = [x, y] as ArrayLike<unknown>[];
      if (typeof right !== 'object' || right === null || left!.length !== right.length) return false;
      for (let i = 0; i < left!.length; ++i) if (!same(left![i], right[i])) return false;
      return true;
    }
    return Object.is(x, y);
  };
  if (a.$type !== b.$type) return false;
  return descriptorOf(a.$type).fields.every((field) => {
    const [left, right] = [a, b] as unknown as AnyMessage[];
    const set = has(left!, field.name);
    return set === has(right!, field.name) && (!set || same(left![field.name], right![field.name]));
  });
}

/** Path of the first required field that is missing in a message or below it, or null. */
export function missingRequired(message: Message): string | null {
  const bag = message as unknown as AnyMessage;
  for (const field of descriptorOf(message.$type).fields) {
    if (field.label === 'required' && !has(bag, field.name)) return field.name;
    if (field.type !== 'message' || !has(bag, field.name)) continue;
    const value = bag[field.name];
    const list = (field.label === 'repeated' ? value : [value]) as Message[];
    for (const [index, element] of list.entries()) {
      const below = missingRequired(element);
      if (below) return `${field.name}${field.label === 'repeated' ? `[${index}]` : ''}.${below}`;
    }
  }
  return null;
}

const enumKind = having('an enum, as `Phase`');

/** The name of an enum's value, e.g. `enumName(Phase, 1)` is 'TEST'; the number as text where it has none. */
export function enumName(values: Readonly<Record<string, number>>, value: number): string {
  checkArgument('enumName', 'values', values, required(enumKind));
  for (const [key, number] of Object.entries(values)) if (number === value) return key;
  return shown(value);
}
