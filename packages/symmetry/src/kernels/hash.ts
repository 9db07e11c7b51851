/**
 * Colours of labels are 64 bits wide, kept as two 32-bit halves, since JavaScript has no fast 64-bit
 * integers. With 10^6 labels the chance that any two colours collide is then about 10^-7.
 *
 * Each half is mixed from both halves of its arguments, with different constants, so that the two halves
 * of a result behave as one 64-bit hash.
 */

/**
 * Mixes a number by the finaliser of MurmurHash3: a bijection of 32 bits in which every input bit reaches
 * every output bit.
 */
function finalize(value: number): number {
  let h = value;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Computes the low half of the hash of two 32-bit numbers. */
export function mixLow(a: number, b: number): number {
  return finalize(a ^ Math.imul(finalize(b ^ 0x2c1b3c6d), 0x297a2d39));
}

/** Computes the high half of the hash of two 32-bit numbers. */
export function mixHigh(a: number, b: number): number {
  return finalize(b ^ Math.imul(finalize(a ^ 0x7ed55d16), 0x9e3779b1));
}
