/**
 * Multiplies every element of a weight by the factor of its unit.
 * @param values - `[outer, units, inner]` row-major
 * @param factors - `[units]`
 */
export function scaleUnitsInPlace(values: Float64Array, factors: Float32Array, inner: number): void {
  for (let i = 0; i < values.length; i++) {
    values[i] = values[i]! * factors[Math.floor(i / inner) % factors.length]!;
  }
}
