export type TypedArrayClass<T> = { readonly name: string } & (new (length: number) => T);

/**
 * Whether a value is an array of this class, whichever realm made it: `instanceof` knows the classes of its own
 * realm alone, and arrays also come from contexts of node:vm, test runners and Electron.
 */
export function isTypedArray<T>(value: unknown, type: TypedArrayClass<T>): value is T {
  return (
    ArrayBuffer.isView(value) &&
    (value as { [Symbol.toStringTag]?: string })[Symbol.toStringTag] === type.name
  );
}
