/** Places on the way from A to mixed B at which a step of learning may be made. */
export const LEARNED_PLACES = ["half", "sampled"] as const;

/** Place on the way from A to mixed B at which networks are measured, and by default learned. */
export const MIDDLE = 0.5;

/** Writes `(1 - t) a + t b`, element by element. */
export function blendInto([a, b]: readonly [Float32Array, Float32Array], t: number, out: Float32Array): void {
  for (let i = 0; i < out.length; i++) out[i] = (1 - t) * (a[i] as number) + t * (b[i] as number);
}
