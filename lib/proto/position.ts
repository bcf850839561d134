/** Where a message stands in a text: the file, where it came from one, and the line (from 1). */
export interface Position {
  file?: string;
  line: number;
}

// Beside the messages: a position is no part of what they say, and messages are compared and printed.
const positions = new WeakMap<object, Position>();

/** Where a layer was read from; undefined for one that was not read from a text. */
export function positionOf(message: object): Position | undefined {
  return positions.get(message);
}

export function setPosition(message: object, position: Position | undefined): void {
  if (position) positions.set(message, position);
}
