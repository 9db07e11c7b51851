/** Range of a tensor that is scaled. */
export interface ChannelRange {
  /** Index of the first element in the tensor. */
  readonly begin: number;
  /** Elements of each channel. */
  readonly perChannel: number;
}

/**
 * Multiplies every element of a tensor, or of a range of it, by the factor of its channel, the first axis;
 * never gives -0.
 *
 * @param values - `[channels, ...]`, or the elements of a range
 * @param factors - `[channels]`
 * @param range - range of the tensor that the values are; the whole tensor if left out
 */
export function scaleChannels(
  values: Float32Array,
  factors: Float64Array,
  { begin, perChannel }: ChannelRange = { begin: 0, perChannel: values.length / factors.length },
): Float32Array {
  const scaled = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    scaled[i] = values[i]! * factors[Math.floor((begin + i) / perChannel)]! + 0;
  }
  return scaled;
}
