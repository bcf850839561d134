import { RistrettoError } from '../errors/index.js';
import { warn } from '../util/warnings.js';

interface Asked {
  whereNotFinite(): Promise<string | null>;
}

/** Warns of results that are no finite numbers, once: they are told as they are, and hardly meant. */
export class FiniteCheck {
  #told = false;

  /** Looks at values that a net gave in its last pass; `when` says which pass that was. */
  async look(values: ArrayLike<number>, net: Asked, when: string): Promise<void> {
    if (this.#told || Array.prototype.every.call(values, Number.isFinite)) return;
    this.#told = true;
    let where: string | null;
    try {
      where = await net.whereNotFinite();
    } catch (error) {
      if (!(error instanceof RistrettoError)) throw error;
      where = error.message;
    }
    warn(`${when} gives values that are not finite${where === null ? '' : `: ${where}`}`);
  }
}
