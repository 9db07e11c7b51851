/** Adds `terms` to `sums`, element by element. */
export function addTo(sums: Float64Array, terms: Float32Array): void {
  for (let i = 0; i < sums.length; i++) sums[i] = sums[i]! + terms[i]!;
}

/** Returns `x - y`, element by element. */
export function difference(x: Float64Array, y: Float32Array): Float64Array {
  const out = new Float64Array(x.length);
  for (let i = 0; i < out.length; i++) out[i] = x[i]! - y[i]!;
  return out;
}

/**
 * Returns the covariances of equal units from sums of products about shifts, `[units]`.
 * @param left - mean of the first network minus its shift, `[units]`
 * @param right - mean of the second network minus its shift, `[units]`
 */
export function equalCovariances(
  sums: Float64Array,
  left: Float64Array,
  right: Float64Array,
  count: number,
): Float64Array {
  const out = new Float64Array(sums.length);
  for (let u = 0; u < out.length; u++) out[u] = sums[u]! / count - left[u]! * right[u]!;
  return out;
}

/**
 * Returns the covariances of all pairs of units, `[left, right]`; the parameters are the same as for
 * {@link equalCovariances}.
 */
export function allCovariances(
  sums: Float64Array,
  left: Float64Array,
  right: Float64Array,
  count: number,
): Float64Array {
  const out = new Float64Array(sums.length);
  for (let u = 0, i = 0; u < left.length; u++) {
    for (let v = 0; v < right.length; v++, i++) out[i] = sums[i]! / count - left[u]! * right[v]!;
  }
  return out;
}
