/**
 * Multiplies every element of a tensor by the factor of its channel, the first axis; never gives -0.
 *
 * @param values - `[channels, ...]`
 * @param factors - `[channels]`
 */
export function scaleChannels(values: Float32Array, factors: Float64Array): Float32Array {
  const perChannel = values.length / factors.length;
  const scaled = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    scaled[i] = values[i]! * factors[Math.floor(i / perChannel)]! + 0;
  }
  return scaled;
}
