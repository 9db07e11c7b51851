/** Adds a multiple of an array: `sums[i] += factor * added[i]`. */
export function addScaled(sums: Float64Array, added: Float64Array, factor: number): void {
  for (let i = 0; i < sums.length; i++) sums[i]! += factor * added[i]!;
}

/**
 * Takes the columns of a cost matrix from the places in a frame, and adds a bonus on the diagonal, rounded to
 * f32.
 *
 * @param cost - `[units, units]`
 * @param columns - column of `cost` that is taken for each column, `[units]`
 * @param stay - bonus for elements whose taken column equals their row
 */
export function frameCosts(cost: Float64Array, columns: Int32Array, stay: number): Float32Array {
  const units = columns.length;
  const framed = new Float32Array(cost.length);
  for (let to = 0; to < units; to++) {
    for (let j = 0; j < units; j++) {
      const from = columns[j]!;
      framed[to * units + j] = cost[to * units + from]! + (to === from ? stay : 0);
    }
  }
  return framed;
}

/**
 * Adds scaled covariances, or mean products unless `centred`:
 * `out[u * units + v] += (covariance[u * units + v] + meanA[u] meanB[v]) scaleA[u] scaleB[v]`, without the
 * means if `centred`.
 *
 * @param covariance - `[units, units]`, as `out`; all others `[units]`
 */
export function addScaledProducts(
  covariance: Float64Array,
  meanA: Float64Array,
  meanB: Float64Array,
  scaleA: Float64Array,
  scaleB: Float64Array,
  centred: boolean,
  out: Float64Array,
): void {
  const units = meanA.length;
  for (let u = 0; u < units; u++) {
    for (let v = 0; v < units; v++) {
      const shared = centred ? 0 : meanA[u]! * meanB[v]!;
      out[u * units + v]! += (covariance[u * units + v]! + shared) * scaleA[u]! * scaleB[v]!;
    }
  }
}
