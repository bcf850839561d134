/** A loss window as JSON holds it; what JSON has no number for as text. */
export interface LossWindowState {
  losses: (number | string)[];
  mean: number | string;
  count: number;
}

const toJson = (value: number) => (Number.isFinite(value) ? value : String(value));

/** The running mean of the last `size` losses, by the original's formula. */
export class LossWindow {
  #losses: number[] = [];
  #mean = 0;
  #count = 0;

  constructor(readonly size: number) {}

  get mean(): number {
    return this.#mean;
  }

  add(loss: number): void {
    if (this.#losses.length < this.size) {
      this.#losses.push(loss);
      const { length } = this.#losses;
      this.#mean = (this.#mean * (length - 1) + loss) / length;
    } else {
      const oldest = this.#count % this.size;
      this.#mean += (loss - this.#losses[oldest]) / this.size;
      this.#losses[oldest] = loss;
    }
    this.#count++;
  }

  get state(): LossWindowState {
    return { losses: this.#losses.map(toJson), mean: toJson(this.#mean), count: this.#count };
  }

  /** Goes on from a state, if its window had this size. */
  restore({ losses, mean, count }: LossWindowState): void {
    if (losses.length !== Math.min(count, this.size)) return;
    this.#losses = losses.map(Number);
    this.#mean = Number(mean);
    this.#count = count;
  }
}
