/** Where a message was read from: the file, where it was one, and the line (from 1) of a layer in a text. */
export interface Position {
  file?: string;
  line?: number;
}

// Beside the messages: a position is no part of what they say, and messages are compared and printed.
const positions = new WeakMap<object, Position>();

/** Where a net or a layer of a text was read from; undefined for one that was made otherwise. */
export function positionOf(message: object): Position | undefined {
  return positions.get(message);
}

export function setPosition(message: object, position: Position | undefined): void {
  if (position) positions.set(message, position);
}
