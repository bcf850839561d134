// Philox4x32-10: J. K. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC'11.

/** High 32 bits of a 32 by 32 bit product, from 16-bit halves: doubles hold only 53 bits. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  return (
    aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(((middle & 0xffff) + aLow * bHigh) / 0x10000)
  );
}

/** The four random words that belong to a counter of four words under a key of two. */
export function philox4x32(
  counter: readonly number[],
  key: readonly number[],
): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd2511f53, c0);
    const low0 = Math.imul(0xd2511f53, c0);
    const high1 = multiplyHigh(0xcd9e8d57, c2);
    const low1 = Math.imul(0xcd9e8d57, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** FNV-1a over the bytes of a text, 32 bits: names a stream of random words ("layer/role"). */
export function fnv1a32(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text, 'utf8')) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/**
 * A sequence of random words that depends on the seed, the stream's name and the step alone, so what one layer
 * draws never changes what another one gets.
 */
export class RandomWords {
  readonly #key: [number, number];
  readonly #stream: number;
  #words: readonly number[] = [];
  #drawn = 0;

  constructor(
    seed: number,
    stream: string,
    readonly step = 0,
  ) {
    this.#key = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0];
    this.#stream = fnv1a32(stream);
  }

  /** The next word, 0 to 2^32 - 1. */
  next(): number {
    const lane = this.#drawn & 3;
    if (lane === 0) {
      const block = Math.floor(this.#drawn / 4);
      this.#words = philox4x32(
        [block >>> 0, Math.floor(block / 2 ** 32) >>> 0, this.#stream, this.step >>> 0],
        this.#key,
      );
    }
    this.#drawn++;
    return this.#words[lane];
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    return this.next() / 2 ** 32;
  }

  /** Normal with mean 0 and standard deviation 1 (Box and Muller). */
  gaussian(): number {
    const radius = Math.sqrt(-2 * Math.log((this.next() + 1) / 2 ** 32));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }
}

/** The numbers 0 to count - 1 in random order. */
export function permutation(count: number, random: RandomWords): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const other = Math.floor(random.uniform() * (i + 1));
    [order[i], order[other]] = [order[other], order[i]];
  }
  return order;
}
