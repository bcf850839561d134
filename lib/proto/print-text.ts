import { writeFileAtomic } from '../util/index.js';
import { checkArgument, number, required } from '../util/check-options.js';
import { checkMessage, descriptorOf, has, type AnyMessage, type Field, type Message } from './message.js';

const numberNeeded = required(number);

/**
 * `value` with `digits` significant digits, as C's %.*g prints it: ties to even (JavaScript's own
 * toExponential takes the larger), an exponent of at least two digits, no trailing zeros.
 */
function printfG(value: number, digits: number): string {
  let text = value.toExponential(digits - 1);
  const longer = value.toExponential(digits);
  if (longer.includes('5e') && isTie(value, digits)) {
    const down = `${longer.slice(0, longer.indexOf('e') - 1)}${longer.slice(longer.indexOf('e'))}`;
    if ('02468'.includes(down[down.indexOf('e') - 1]!)) text = down;
  }
  const [mantissa, exponentText] = text.split('e') as [string, string];
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < digits) {
    const sign = mantissa.startsWith('-') ? '-' : '';
    const figures = mantissa.replace(/[-.]/g, '');
    const padded = exponent < 0 ? '0'.repeat(-exponent) + figures : figures;
    const point = exponent < 0 ? 1 : exponent + 1;
    return sign + `${padded.slice(0, point)}.${padded.slice(point)}`.replace(/\.?0*$/, '');
  }
  const short = mantissa.includes('.') ? mantissa.replace(/\.?0*$/, '') : mantissa;
  return `${short}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** Whether the exact value has one digit more than `digits`, and that one is a 5. */
function isTie(value: number, digits: number): boolean {
  const mantissa = value.toExponential(100).replace('-', '').split('e')[0]!.replace('.', '');
  return /^50*$/.test(mantissa.slice(digits));
}

/** A float32 as protobuf prints it: 6 significant digits where they suffice, else 9. */
export function printFloat(value: number): string {
  checkArgument('printFloat', 'value', value, numberNeeded);
  const single = Math.fround(value);
  if (!Number.isFinite(single)) return Number.isNaN(single) ? 'nan' : single < 0 ? '-inf' : 'inf';
  if (Object.is(single, -0)) return '-0';
  // Most values in a net's definition are small integers.
  if (Number.isInteger(single) && Math.abs(single) < 1e6) return String(single);
  // Protobuf takes the underflow that parsing a denormal reports for a mismatch.
  if (Math.abs(single) < 2 ** -126) return printfG(single, 9);
  const short = printfG(single, 6);
  return Math.fround(Number(short)) === single ? short : printfG(single, 9);
}

/** A double as protobuf prints it: 15 significant digits where they suffice, else 17. */
export function printDouble(value: number): string {
  checkArgument('printDouble', 'value', value, numberNeeded);
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value < 0 ? '-inf' : 'inf';
  if (Object.is(value, -0)) return '-0';
  const short = printfG(value, 15);
  return Number(short) === value ? short : printfG(value, 17);
}

const namedEscapes: Readonly<Record<number, string>> = {
  10: '\\n',
  13: '\\r',
  9: '\\t',
  34: '\\"',
  39: "\\'",
  92: '\\\\',
};

/** Quotes a string as protobuf does: everything but printable ASCII as three octal digits a byte. */
export function printString(value: string | Uint8Array): string {
  if (typeof value === 'string' && /^[ !#-&(-[\]-~]*$/.test(value)) return `"${value}"`;
  let text = '';
  for (const byte of typeof value === 'string' ? Buffer.from(value) : value) {
    const printable = byte >= 32 && byte < 127;
    text +=
      namedEscapes[byte] ??
      (printable ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`);
  }
  return `"${text}"`;
}

function printScalar(field: Field, value: unknown): string {
  switch (field.type) {
    case 'float':
      return printFloat(value as number);
    case 'double':
      return printDouble(value as number);
    case 'string':
    case 'bytes':
      return printString(value as string | Uint8Array);
    case 'enum':
      return field.names!.get(value as number) ?? String(value);
    default:
      return String(value);
  }
}

function printFields(message: AnyMessage, indent: string, emit: (line: string) => void): void {
  for (const field of descriptorOf(message.$type).fields) {
    if (!has(message, field.name)) continue;
    const value = message[field.name];
    const list = (field.label === 'repeated' ? value : [value]) as ArrayLike<unknown>;
    for (let i = 0; i < list.length; ++i) {
      if (field.type === 'message') {
        emit(`${indent}${field.name} {\n`);
        printFields(list[i] as AnyMessage, `${indent}  `, emit);
        emit(`${indent}}\n`);
      } else {
        emit(`${indent}${field.name}: ${printScalar(field, list[i])}\n`);
      }
    }
  }
}

/**
 * Prints a message in protobuf's text format with the layout of its C++ printer: set fields in order of their
 * numbers, two spaces a level, one element of a repeated field a line.
 */
export function printText(message: Message): string {
  checkMessage('printText', 'message', message);
  const lines: string[] = [];
  printFields(message as AnyMessage, '', (line) => lines.push(line));
  return lines.join('');
}

/** Prints a message into a file, which is replaced as a whole; the text may be longer than a string can be. */
export function printTextFile(path: string, message: Message): void {
  writeFileAtomic(path, (sink) => {
    let chunk: string[] = [];
    const flush = () => {
      sink.write(Buffer.from(chunk.join('')));
      chunk = [];
    };
    printFields(message as AnyMessage, '', (line) => {
      if (chunk.push(line) === 4096) flush();
    });
    flush();
  });
}
