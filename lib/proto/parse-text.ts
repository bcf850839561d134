import { readFileSync } from 'node:fs';
import { FormatError } from '../errors/index.js';
import type { MessageTypes } from './caffe.js';
import {
  descriptorOf,
  has,
  instantiate,
  type AnyMessage,
  type Descriptor,
  type Field,
  type MessageName,
} from './message.js';

/** As protobuf's own bound for nested messages. */
const maxDepth = 100;

const integerRange = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  enum: [-(2n ** 31n), 2n ** 31n - 1n],
} as const;

const simpleEscapes: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  '\\': 92,
  '?': 63,
  "'": 39,
  '"': 34,
};

function isLetter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

// Loops rather than regular expressions: those keep a stack that a megabyte of blanks or digits overflows.

/** End of the identifier that starts at `at`; `at` where none does. */
function identifierEnd(text: string, at: number): number {
  if (!isLetter(text.charCodeAt(at))) return at;
  let end = at + 1;
  for (let code = text.charCodeAt(end); isLetter(code) || isDigit(code); code = text.charCodeAt(end)) ++end;
  return end;
}

/** End of the number that starts at `at` and of what sticks to it, so that `1a` is one bad token. */
function numberEnd(text: string, at: number): number {
  const first = text.charCodeAt(at);
  if (!isDigit(first) && !(first === 46 && isDigit(text.charCodeAt(at + 1)))) return at;
  const hex = first === 48 && (text.charCodeAt(at + 1) | 32) === 120;
  let end = at + 1;
  for (;;) {
    const code = text.charCodeAt(end);
    const sign = code === 43 || code === 45;
    if (
      sign ? hex || (text.charCodeAt(end - 1) | 32) !== 101 : !isLetter(code) && !isDigit(code) && code !== 46
    ) {
      return end;
    }
    ++end;
  }
}

const decimalFloat =
  /^(?:0|[1-9][0-9]*)[fF]?$|^(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[fF]?$|^[0-9]+[eE][+-]?[0-9]+[fF]?$/;

/** Reads protobuf's text format as protoc does. */
class TextParser {
  private index = 0;

  constructor(
    private readonly text: string,
    private readonly file: string | undefined,
  ) {
    if (text.charCodeAt(0) === 0xfeff) this.index = 1;
    this.skipSpace();
  }

  private fail(message: string, at = this.index): never {
    let line = 1;
    let start = 0;
    for (
      let next = this.text.indexOf('\n');
      next >= 0 && next < at;
      next = this.text.indexOf('\n', next + 1)
    ) {
      ++line;
      start = next + 1;
    }
    throw new FormatError(message, { file: this.file, line, column: at - start + 1 });
  }

  private skipSpace(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.index);
      if (code === 32 || (code >= 9 && code <= 13)) {
        ++this.index;
      } else if (code === 35) {
        const end = this.text.indexOf('\n', this.index);
        this.index = end < 0 ? this.text.length : end;
      } else {
        return;
      }
    }
  }

  /** What stands at the cursor, for messages. */
  private found(): string {
    if (this.index >= this.text.length) return 'the end of the text';
    const end = Math.max(identifierEnd(this.text, this.index), numberEnd(this.text, this.index));
    if (end > this.index) return `'${this.text.slice(this.index, Math.min(end, this.index + 40))}'`;
    return `'${String.fromCodePoint(this.text.codePointAt(this.index)!)}'`;
  }

  private tryTake(symbol: string): boolean {
    if (this.text[this.index] !== symbol) return false;
    ++this.index;
    this.skipSpace();
    return true;
  }

  private take(endOf: (text: string, at: number) => number): string | null {
    const start = this.index;
    const end = endOf(this.text, start);
    if (end === start) return null;
    this.index = end;
    this.skipSpace();
    return this.text.slice(start, end);
  }

  /** Fields up to `close`, or to the end of the text where that is null. */
  fields(
    descriptor: Descriptor,
    message: AnyMessage,
    close: '}' | '>' | null,
    opened: number,
    depth: number,
  ): void {
    if (depth > maxDepth) this.fail(`more than ${maxDepth} nested messages`, opened);
    const growing = new Map<Field, number[]>();
    for (;;) {
      if (this.index >= this.text.length) {
        if (close !== null)
          this.fail(`the text ends inside a ${descriptor.name} ('${close}' is missing)`, opened);
        break;
      }
      if (close !== null && this.tryTake(close)) break;
      this.field(descriptor, message, growing, depth);
    }
    for (const [field, values] of growing) {
      message[field.name] = field.type === 'float' ? Float32Array.from(values) : Float64Array.from(values);
    }
    for (const field of descriptor.required) {
      if (!has(message, field.name))
        this.fail(`${descriptor.name}: required field '${field.name}' is missing`, opened);
    }
  }

  private field(
    descriptor: Descriptor,
    message: AnyMessage,
    growing: Map<Field, number[]>,
    depth: number,
  ): void {
    const start = this.index;
    const name = this.take(identifierEnd);
    if (name === null) this.fail(`a field's name expected, found ${this.found()}`);
    const field = descriptor.byName.get(name!);
    if (!field) this.fail(`${descriptor.name} has no field named '${name}'`, start);
    const known = field!;
    if (known.label !== 'repeated' && has(message, known.name)) {
      this.fail(`'${name}' is given more than once, but is not repeated`, start);
    }
    const colon = this.tryTake(':');
    if (!colon && known.type !== 'message') this.fail(`':' expected after '${name}', found ${this.found()}`);

    if (known.label !== 'repeated') {
      message[known.name] = this.value(known, depth);
    } else {
      let list: unknown[];
      if (known.bulk) {
        list = growing.get(known) ?? [];
        growing.set(known, list as number[]);
      } else {
        list = message[known.name] as unknown[];
      }
      if (!this.tryTake('[')) list.push(this.value(known, depth));
      else if (!this.tryTake(']')) {
        do list.push(this.value(known, depth));
        while (this.tryTake(','));
        if (!this.tryTake(']')) this.fail(`',' or ']' expected in the list '${name}', found ${this.found()}`);
      }
    }
    if (!this.tryTake(';')) this.tryTake(',');
  }

  private value(field: Field, depth: number): unknown {
    switch (field.type) {
      case 'message':
        return this.message(field, depth);
      case 'string':
        return this.string(field).toString('utf8');
      case 'bytes':
        return new Uint8Array(this.string(field));
      case 'bool':
        return this.bool(field);
      case 'enum':
        return this.enum(field);
      case 'float':
        return Math.fround(this.float(field));
      case 'double':
        return this.float(field);
      default: {
        const start = this.index;
        const value = this.integer(field, field.type);
        return Number.isSafeInteger(value)
          ? value
          : this.fail(`${field.name}: ${value} is beyond 2^53`, start);
      }
    }
  }

  private message(field: Field, depth: number): AnyMessage {
    const opened = this.index;
    const close = this.tryTake('{') ? '}' : this.tryTake('<') ? '>' : null;
    if (close === null) this.fail(`'{' expected for '${field.name}', found ${this.found()}`);
    const descriptor = descriptorOf(field.typeName!);
    const message = instantiate(descriptor);
    this.fields(descriptor, message, close, opened, depth + 1);
    return message;
  }

  private integer(field: Field, type: keyof typeof integerRange): number {
    const start = this.index;
    const negative = this.tryTake('-');
    const digits = this.take(numberEnd);
    if (digits === null) this.fail(`${field.name}: an integer expected, found ${this.found()}`, start);
    const octal = /^0[0-7]+$/.test(digits!);
    if (!octal && !/^(?:0|[1-9][0-9]*|0[xX][0-9a-fA-F]+)$/.test(digits!)) {
      this.fail(`${field.name}: an integer expected, found '${digits}'`, start);
    }
    const [low, high] = integerRange[type];
    // Thousands of digits are out of every range and not worth converting.
    const magnitude = digits!.length > 40 ? null : BigInt(octal ? `0o${digits!.slice(1)}` : digits!);
    const value = magnitude === null ? null : negative ? -magnitude : magnitude;
    if (value === null || value < low || value > high) {
      this.fail(`${field.name}: ${negative ? '-' : ''}${digits!.slice(0, 40)} does not fit ${type}`, start);
    }
    return Number(value);
  }

  private float(field: Field): number {
    const start = this.index;
    const sign = this.tryTake('-') ? -1 : 1;
    const digits = this.take(numberEnd);
    if (digits !== null) {
      if (!decimalFloat.test(digits))
        this.fail(`${field.name}: a decimal number expected, found '${digits}'`, start);
      return sign * Number(/[fF]$/.test(digits) ? digits.slice(0, -1) : digits);
    }
    const found = this.found();
    const word = this.take(identifierEnd)?.toLowerCase();
    if (word === 'inf' || word === 'infinity') return sign * Infinity;
    if (word === 'nan') return NaN;
    return this.fail(`${field.name}: a number expected, found ${found}`, start);
  }

  private bool(field: Field): boolean {
    const start = this.index;
    const found = this.found();
    const word = this.take(identifierEnd) ?? this.take(numberEnd);
    if (word !== null) {
      if (['true', 'True', 't'].includes(word) || /^(?:0*1|0[xX]0*1)$/.test(word)) return true;
      if (['false', 'False', 'f'].includes(word) || /^(?:0+|0[xX]0+)$/.test(word)) return false;
    }
    return this.fail(`${field.name}: true or false expected, found ${found}`, start);
  }

  private enum(field: Field): number {
    const start = this.index;
    const word = this.take(identifierEnd);
    if (word === null) {
      const value = this.integer(field, 'enum');
      if (!field.names!.has(value))
        this.fail(`${field.name}: ${field.typeName} has no value ${value}`, start);
      return value;
    }
    if (!Object.hasOwn(field.values!, word)) {
      const known = Object.keys(field.values!).join(', ');
      this.fail(`${field.name}: '${word}' is not one of ${known}`, start);
    }
    return field.values![word]!;
  }

  /** One or more adjacent literals as bytes. */
  private string(field: Field): Buffer {
    const parts: Buffer[] = [];
    for (;;) {
      const quote = this.text[this.index];
      if (quote !== '"' && quote !== "'") {
        if (parts.length === 0) this.fail(`${field.name}: a string expected, found ${this.found()}`);
        return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
      }
      parts.push(this.literal(quote));
      this.skipSpace();
    }
  }

  private literal(quote: string): Buffer {
    const opened = this.index++;
    const parts: Buffer[] = [];
    let plain = this.index;
    for (;;) {
      const char = this.text[this.index];
      if (char === undefined || char === '\n') this.fail('the string is not closed on its line', opened);
      if (char === quote || char === '\\') {
        if (plain < this.index) parts.push(Buffer.from(this.text.slice(plain, this.index)));
        if (char === quote) break;
        parts.push(this.escape());
        plain = this.index;
      } else {
        ++this.index;
      }
    }
    ++this.index;
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  private escape(): Buffer {
    const match =
      /\\(?:([abfnrtv\\?'"])|([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/y;
    match.lastIndex = this.index;
    const [all, simple, octal, hex, short, long] =
      match.exec(this.text) ?? this.fail('this escape does not exist');
    const start = this.index;
    this.index += all.length;
    if (simple !== undefined) return Buffer.of(simpleEscapes[simple]!);
    if (octal !== undefined) return Buffer.of(parseInt(octal, 8) & 0xff);
    if (hex !== undefined) return Buffer.of(parseInt(hex, 16));
    let code = parseInt((short ?? long)!, 16);
    if (code >= 0xd800 && code < 0xdc00) {
      // The first half of a surrogate pair: the second must follow.
      match.lastIndex = this.index;
      const low = parseInt(match.exec(this.text)?.[4] ?? '0', 16);
      if (low >= 0xdc00 && low < 0xe000) {
        this.index = match.lastIndex;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      }
    }
    if (code > 0x10ffff) this.fail('this code point does not exist', start);
    return Buffer.from(String.fromCodePoint(code));
  }
}

export interface ParseTextOptions {
  /** Named in errors. */
  file?: string;
}

/**
 * Parses protobuf's text format. Accepts and refuses what protoc does; errors are FormatErrors with line and
 * column (both from 1, the column in UTF-16 units).
 */
export function parseText<T extends MessageName>(
  type: T,
  text: string,
  options: ParseTextOptions = {},
): MessageTypes[T] {
  const descriptor = descriptorOf(type);
  const message = instantiate(descriptor);
  new TextParser(text, options.file).fields(descriptor, message, null, 0, 0);
  return message as unknown as MessageTypes[T];
}

/** Parses a text file. */
export function parseTextFile<T extends MessageName>(type: T, path: string): MessageTypes[T] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new FormatError(`cannot be read (${code})`, { file: path, cause: error });
  }
  return parseText(type, text, { file: path });
}
