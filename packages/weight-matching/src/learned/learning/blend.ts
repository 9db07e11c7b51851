/** Where on the way from A to mixed B a step of learning may be made. */
export const LEARNED_PLACES = ["half", "sampled"] as const;

/** Where the network between A and mixed B is measured, and by default learned. */
export const MIDDLE = 0.5;

/** Writes `(1 - t) a + t b`, element by element. */
export function blendInto([a, b]: readonly [Float32Array, Float32Array], t: number, out: Float32Array): void {
  for (let i = 0; i < out.length; i++) out[i] = (1 - t) * (a[i] as number) + t * (b[i] as number);
}
