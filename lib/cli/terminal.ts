import { closeSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';

/**
 * Lets the process end with its own exit code when its terminal has gone. Node puts the terminal's settings back at the
 * end, and aborts where that fails (EIO), but leaves descriptors alone that have been opened anew.
 */
export function surviveTerminal(): void {
  const terminals = [0, 1, 2].filter((descriptor) => isatty(descriptor));
  process.on('exit', () => {
    for (const descriptor of terminals) {
      if (isatty(descriptor)) continue;
      try {
        closeSync(descriptor);
        // The lowest free number, which is the one just closed.
        openSync('/dev/null', 'r+');
      } catch {
        // Closed by somebody else: nothing to put back.
      }
    }
  });
}
