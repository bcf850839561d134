import type { Command } from '../command.js';
import { convertDeepCompressionCommand } from './convert/deep-compression.js';

/** What `ristretto convert` makes of other formats' nets, a file each. */
export const convertCommands: readonly Command[] = [convertDeepCompressionCommand];
