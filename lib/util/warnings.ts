const told = new Set<string>();
let tell: ((message: string) => void) | null = null;

/** Sends warnings to a program's own log instead of Node's `warning` event. */
export function onWarning(listener: (message: string) => void): void {
  tell = listener;
}

/** Tells once what goes on although it is hardly meant: in the program's log, or as Node's `RistrettoWarning`. */
export function warn(message: string): void {
  if (told.has(message)) return;
  told.add(message);
  if (tell) tell(message);
  else process.emitWarning(message, 'RistrettoWarning');
}
