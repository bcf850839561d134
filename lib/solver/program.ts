import type { ElementwiseStep, NativeTensor } from '../native/index.js';

/** Operands and registers of an update, by name: the parameter, its gradient, up to two histories, scratch. */
export type Slot = 'value' | 'gradient' | 'history' | 'history2' | 'a' | 'b' | 'c';

type Unary = 'copy' | 'absolute' | 'sign' | 'squareRoot';
type Binary = 'add' | 'subtract' | 'multiply' | 'divide' | 'maximum' | 'minimum';

/** `dst = operation(source)`, or `dst = source operation other`, where the other may be a constant. */
export type Step =
  | readonly [operation: Unary, dst: Slot, source: Slot]
  | readonly [operation: Binary, dst: Slot, source: Slot, other: Slot | number];

const REGISTERS = ['a', 'b', 'c'];

/** Steps with their names replaced by the native op's slots. */
export function compile(operands: ReadonlyMap<Slot, NativeTensor>, steps: readonly Step[]) {
  const slots = new Map([...operands.keys(), ...REGISTERS].map((name, index) => [name, index]));
  const slot = (name: Slot): number => {
    const index = slots.get(name);
    if (index === undefined) throw new Error(`an update uses '${name}', which its rule does not have`);
    return index;
  };
  return {
    operands: [...operands.values()],
    steps: steps.map(([operation, dst, source, other]): ElementwiseStep => {
      const place = { dst: slot(dst), a: slot(source) };
      if (other === undefined) return { operation: operation as Unary, ...place };
      const second = typeof other === 'number' ? { constant: other } : { b: slot(other) };
      return { operation: operation as Binary, ...place, ...second };
    }),
  };
}
