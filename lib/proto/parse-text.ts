import {
  checkArgument,
  checkOptions,
  path as pathKind,
  required,
  text as textKind,
  type OptionKinds,
} from '../util/check-options.js';
import { isUtf8 } from 'node:buffer';
import { FormatError } from '../errors/index.js';
import { readTextBytes } from '../util/index.js';
import { nearest } from '../util/nearest.js';
import type { MessageTypes } from './caffe.js';
import { forkOfField, forkOfType, forkOfValue } from './forks.js';
import { typeOfV1, v1OfType } from './layer-types.js';
import {
  descriptorOf,
  has,
  instantiate,
  type AnyMessage,
  type Descriptor,
  type Field,
  type MessageName,
} from './message.js';
import { setPosition } from './position.js';
import { describeType } from './unknown-types.js';

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

/** Distinct problems that one error tells. */
const maxListed = 40;

/** Problems after which no more are looked for. */
const maxNoted = 1000;

/** Messages whose place in the text is kept. */
const layerMessages = new Set<string>(['LayerParameter', 'V1LayerParameter']);

/** '3, 8, 12' */
function listLines(lines: readonly number[]): string {
  const shown = lines.slice(0, 10).join(', ');
  return lines.length > 10 ? `${shown} and ${lines.length - 10} more` : shown;
}

/** A name as it is told: a file that is no prototxt may have very long ones. */
function clipped(name: string): string {
  return name.length > 80 ? `${name.slice(0, 80)}…` : name;
}

function unknownField({ name, byName }: Descriptor, field: string): string {
  const fork = forkOfField(name, field);
  const close = fork ? null : nearest(field, byName.keys());
  return (
    `${name} has no field named '${clipped(field)}'` +
    (fork ? `; it ${fork}` : '') +
    (close ? `; did you mean '${close}'?` : '')
  );
}

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
  /** What the schema does not have; told together at the end, since a file of a fork has many such things. */
  private readonly unknown: { at: number; what: string }[] = [];
  private readonly layers: { at: number; message: AnyMessage }[] = [];
  /** Where the last line that was asked for starts: layers are asked for in order. */
  private readonly lastLine = { line: 1, start: 0 };

  constructor(
    private readonly text: string,
    private readonly file: string | undefined,
    /** Whether bytes were no UTF-8: they are characters U+FFFD of the text. */
    private readonly damaged = false,
  ) {
    if (text.charCodeAt(0) === 0xfeff) this.index = 1;
    this.skipSpace();
  }

  /** Line and column, both from 1. */
  private placeOf(at: number): { line: number; column: number } {
    let { line, start } = at < this.lastLine.start ? { line: 1, start: 0 } : this.lastLine;
    for (
      let next = this.text.indexOf('\n', start);
      next >= 0 && next < at;
      next = this.text.indexOf('\n', next + 1)
    ) {
      ++line;
      start = next + 1;
    }
    Object.assign(this.lastLine, { line, start });
    return { line, column: at - start + 1 };
  }

  private fail(message: string, at = this.index): never {
    this.refuse([...(this.unknown.length > 0 ? this.missing() : []), { at, what: message }]);
  }

  private note(at: number, what: string): void {
    this.unknown.push({ at, what });
    if (this.unknown.length >= maxNoted) this.refuse(this.unknown);
  }

  /** Throws with all that is wrong, each thing once with its first place and the lines of the others. */
  private refuse(problems: readonly { at: number; what: string }[]): never {
    const places = new Map<string, number[]>();
    for (const { at, what } of problems) {
      const known = places.get(what);
      if (known) known.push(at);
      else places.set(what, [at]);
    }
    const texts = [...places].map(([what, [at, ...others]], index) => {
      const { line, column } = this.placeOf(at);
      const lines = new Set(others.map((other) => this.placeOf(other).line));
      const place = this.file ? `${this.file}:${line}:${column}` : `line ${line}:${column}`;
      return (
        (index > 0 ? `${place}: ` : '') +
        what +
        (lines.size > 0 ? ` (so in line${lines.size > 1 ? 's' : ''} ${listLines([...lines])})` : '')
      );
    });
    const shown = texts.slice(0, maxListed);
    if (texts.length > maxListed) shown.push(`and ${texts.length - maxListed} more`);
    throw new FormatError(shown.join('; '), { file: this.file, ...this.placeOf(problems[0].at) });
  }

  /** Ends the parse: throws where the text has something that the schema, or a net of here, does not have. */
  finish(): void {
    if (this.unknown.length > 0) this.refuse(this.missing());
  }

  /** All that is unknown, and the layers whose types are, in the order of the text. */
  private missing(): { at: number; what: string }[] {
    const types = this.layers.flatMap(({ at, message: { $type, type } }) => {
      const what = $type === 'LayerParameter' && type !== '' && describeType(String(type));
      return what ? [{ at, what }] : [];
    });
    return [...this.unknown, ...types].sort((a, b) => a.at - b.at);
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
    if (this.damaged && this.text[this.index] === '\ufffd') return 'bytes that are not UTF-8';
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
    const known = descriptor.byName.get(name!);
    if (!known) {
      this.note(start, unknownField(descriptor, name!));
      this.skipField(depth);
      return;
    }
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

  /** Skips what follows the name of a field that is not known, to look for further ones behind it. */
  private skipField(depth: number): void {
    this.skipValue(this.tryTake(':'), depth);
    if (!this.tryTake(';')) this.tryTake(',');
  }

  private skipValue(colon: boolean, depth: number): void {
    if (depth > maxDepth) this.fail(`more than ${maxDepth} nested messages`);
    const opened = this.index;
    const close = this.tryTake('{') ? '}' : this.tryTake('<') ? '>' : null;
    if (close !== null) {
      while (!this.tryTake(close)) {
        if (this.index >= this.text.length)
          this.fail(`the text ends inside a message ('${close}' is missing)`, opened);
        if (this.take(identifierEnd) === null) this.fail(`a field's name expected, found ${this.found()}`);
        this.skipField(depth + 1);
      }
    } else if (this.tryTake('[')) {
      if (!this.tryTake(']')) {
        do this.skipValue(true, depth + 1);
        while (this.tryTake(','));
        if (!this.tryTake(']')) this.fail(`',' or ']' expected in a list, found ${this.found()}`);
      }
    } else {
      if (!colon) this.fail(`':' expected, found ${this.found()}`);
      this.skipScalar();
    }
  }

  private skipScalar(): void {
    if (this.isQuote()) {
      while (this.isQuote()) {
        this.literal(this.text[this.index]);
        this.skipSpace();
      }
      return;
    }
    this.tryTake('-');
    if (this.take(numberEnd) === null && this.take(identifierEnd) === null)
      this.fail(`a value expected, found ${this.found()}`);
  }

  private isQuote(): boolean {
    return this.text[this.index] === '"' || this.text[this.index] === "'";
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
    if (layerMessages.has(descriptor.name)) {
      this.layers.push({ at: opened, message });
      setPosition(message, { file: this.file, line: this.placeOf(opened).line });
    }
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
    if (this.isQuote()) {
      const quoted = this.string(field).toString('utf8');
      return this.noValue(field, start, quoted, `"${clipped(quoted)}"`);
    }
    const word = this.take(identifierEnd);
    if (word === null) {
      const value = this.integer(field, 'enum');
      if (!field.names!.has(value))
        this.fail(`${field.name}: ${field.typeName} has no value ${value}`, start);
      return value;
    }
    return Object.hasOwn(field.values!, word)
      ? field.values![word]!
      : this.noValue(field, start, word, `'${clipped(word)}'`);
  }

  /** Notes a value that an enum does not have and goes on with one that it has. */
  private noValue(field: Field, at: number, word: string, written: string): number {
    const names = Object.keys(field.values!);
    const fork = forkOfValue(field.typeName!, word);
    let hint = `is not one of ${names.join(', ')}`;
    if (field.typeName === 'V1LayerParameter_LayerType') {
      const v1 = v1OfType(word);
      const named = Object.hasOwn(field.values!, word) ? word : v1;
      const close = named ?? nearest(word, names);
      const ofFork = forkOfType(word);
      hint =
        'is none of the types of `layers`, which takes names as CONVOLUTION: write ' +
        (named ? `${named} without quotes, or ` : '') +
        '`layer` instead of `layers`, with types as "Convolution", all over the net' +
        (ofFork ? `; the type ${ofFork}` : named || !close ? '' : `; did you mean ${close}?`);
    } else if (fork) hint = `${fork}; known are ${names.join(', ')}`;
    else {
      const close = nearest(word, names);
      if (close) hint += `; did you mean ${close}${written.startsWith('"') ? ' without quotes' : ''}?`;
    }
    this.note(at, `${field.name}: ${written} ${hint}`);
    return field.values![names[0]];
  }

  /** One or more adjacent literals as bytes. */
  private string(field: Field): Buffer {
    const parts: Buffer[] = [];
    for (;;) {
      const quote = this.text[this.index];
      if (quote !== '"' && quote !== "'") {
        if (parts.length === 0)
          this.fail(`${field.name}: a string expected, found ${this.found()}${this.unquoted(field)}`);
        return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
      }
      parts.push(this.literal(quote));
      this.skipSpace();
    }
  }

  /** What to do about a name without quotes. */
  private unquoted(field: Field): string {
    const word = this.text.slice(this.index, identifierEnd(this.text, this.index));
    if (!word) return '';
    if (field.name !== 'type') return `: write it in quotes, "${word}"`;
    const today = typeOfV1(word) || word;
    return `: \`layer\` takes its type in quotes, "${today}"; only \`layers\`, the older form, takes names as CONVOLUTION`;
  }

  private literal(quote: string): Buffer {
    const opened = this.index++;
    const parts: Buffer[] = [];
    let plain = this.index;
    for (;;) {
      const char = this.text[this.index];
      if (char === undefined || char === '\n') this.fail('the string is not closed on its line', opened);
      if (char === '\ufffd' && this.damaged)
        this.fail(
          'a string holds bytes that are not UTF-8 (Latin-1 or GBK?): save the file as UTF-8, as with iconv -f GBK -t UTF-8',
        );
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

const parseTextOptionKinds: OptionKinds<ParseTextOptions> = { file: textKind };

/**
 * Parses protobuf's text format. Accepts and refuses what protoc does; errors are FormatErrors with line and
 * column (both from 1, the column in UTF-16 units). All fields, values and, where there are such, layer types that
 * are not known here are told in one error.
 */
export function parseText<T extends MessageName>(
  type: T,
  text: string,
  options: ParseTextOptions = {},
): MessageTypes[T] {
  checkArgument('parseText', 'text', text, required(textKind));
  checkOptions('parseText', options, parseTextOptionKinds);
  return parse(type, text, options.file, false);
}

function parse<T extends MessageName>(
  type: T,
  text: string,
  file: string | undefined,
  damaged: boolean,
): MessageTypes[T] {
  const descriptor = descriptorOf(type);
  const message = instantiate(descriptor);
  const parser = new TextParser(text, file, damaged);
  parser.fields(descriptor, message, null, 0, 0);
  parser.finish();
  return message as unknown as MessageTypes[T];
}

/** Parses a text file. */
export function parseTextFile<T extends MessageName>(type: T, path: string): MessageTypes[T] {
  checkArgument('parseTextFile', 'path', path, required(pathKind));
  const bytes = readTextBytes(path);
  // protobuf minds bytes that are no UTF-8 in names, not in comments: the parser tells them apart.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  return parse(type, text, path, !isUtf8(bytes));
}
