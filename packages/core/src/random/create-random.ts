import { OutOfRangeError } from "../errors.ts";

/** A seeded stream of random numbers: the same seed gives the same numbers everywhere. */
export interface Random {
  /** Draws a number uniform in `[0, 1)`, with 32 random bits. */
  uniform(): number;
  /** Draws a whole number uniform in `[0, bound)`; `bound` is at most 2^32. */
  integer(bound: number): number;
  /** Draws a standard normal number. */
  normal(): number;
  /** Shuffles an array in place, all orders equally likely, and returns it. */
  shuffleInPlace<T extends { [index: number]: number; readonly length: number }>(items: T): T;
}

/**
 * Creates a generator of random numbers from a seed.
 *
 * The generator is sfc32 (Chris Doty-Humphrey's PractRand), with a state that splitmix32 derives from the
 * seed. Each label gives an independent stream of the same seed, so that adding one use of randomness does
 * not disturb another.
 * @throws OutOfRangeError if `seed` is not a whole number in `[0, 2^53)`
 */
export function createRandom(seed: number, label = ""): Random {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new OutOfRangeError(
      `Cannot seed a generator as the seed must be a whole number of at least 0: got ${seed}`,
    );
  }
  const next = sfc32(seed, label);
  const uniform = () => next() / 2 ** 32;
  const integer = (bound: number) => Math.floor(uniform() * bound);
  return {
    uniform,
    integer,
    normal() {
      // 1 - u is never 0, so the logarithm is finite.
      return Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
    },
    shuffleInPlace(items) {
      for (let i = items.length - 1; i > 0; i--) {
        const j = integer(i + 1);
        const item = items[i] as number;
        items[i] = items[j] as number;
        items[j] = item;
      }
      return items;
    },
  };
}

/** Number of rounds after seeding until every bit of the state depends on every bit of the seed. */
const WARM_UP = 12;

function sfc32(seed: number, label: string): () => number {
  const spread = splitmix32(seed >>> 0);
  let a = spread();
  let b = spread() ^ Math.floor(seed / 2 ** 32);
  let c = hash(label);
  let counter = 1;
  const next = () => {
    const result = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + result) | 0;
    return result >>> 0;
  };
  for (let round = 0; round < WARM_UP; round++) next();
  return next;
}

function splitmix32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = state ^ (state >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return z ^ (z >>> 15);
  };
}

/** Computes the FNV-1a hash of a label. */
function hash(label: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < label.length; i++) value = Math.imul(value ^ label.charCodeAt(i), 0x01000193);
  return value;
}
