/**
 * Adds sums of `x - shift` and of its square, for each channel, in f64.
 *
 * Sums about a shift near the mean keep the variance exact where the mean is large against the deviation.
 *
 * @param x - `[examples, channels, plane]` row-major
 * @param shift - `[channels]`
 * @param sums - `[channels]`, added to
 * @param squares - `[channels]`, added to
 */
export function addChannelMoments(
  x: Float32Array,
  shift: Float64Array,
  sums: Float64Array,
  squares: Float64Array,
  examples: number,
): void {
  const channels = shift.length;
  const plane = x.length / (examples * channels);
  let index = 0;
  for (let n = 0; n < examples; n++) {
    for (let c = 0; c < channels; c++) {
      const origin = shift[c]!;
      let sum = 0;
      let square = 0;
      for (let p = 0; p < plane; p++) {
        const d = x[index++]! - origin;
        sum += d;
        square += d * d;
      }
      sums[c]! += sum;
      squares[c]! += square;
    }
  }
}
