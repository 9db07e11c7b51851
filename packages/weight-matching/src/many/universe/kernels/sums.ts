/** Adds an array to a sum in place. */
export function addTo(sum: Float64Array, term: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += term[i]!;
}

/** Adds what a term has become less what it was; where the term has not changed, neither does the sum. */
export function addChange(sum: Float64Array, after: Float32Array, before: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += after[i]! - before[i]!;
}

/** Subtracts one term from a sum: what the others have. */
export function subtractInto(sum: Float64Array, term: Float32Array, out: Float32Array): void {
  for (let i = 0; i < out.length; i++) out[i] = sum[i]! - term[i]!;
}
