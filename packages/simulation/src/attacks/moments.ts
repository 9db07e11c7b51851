import { at } from "@isthmus/core";

/** Writes the unweighted mean of the clients' displacements, `[elements]`. */
export function meanInto(honest: readonly Float64Array[], out: Float64Array): void {
  out.fill(0);
  for (const displacement of honest) {
    for (let i = 0; i < out.length; i++) out[i] = at(out, i) + at(displacement, i);
  }
  for (let i = 0; i < out.length; i++) out[i] = at(out, i) / honest.length;
}

/**
 * Computes the standard deviation of the clients' displacements in each element, divided by one less than
 * their number; 0 for a single client.
 */
export function deviationsOf(honest: readonly Float64Array[], mean: Float64Array): Float64Array {
  const squares = new Float64Array(mean.length);
  if (honest.length < 2) return squares;
  for (const displacement of honest) {
    for (let i = 0; i < mean.length; i++) {
      squares[i] = at(squares, i) + (at(displacement, i) - at(mean, i)) ** 2;
    }
  }
  return squares.map((sum) => Math.sqrt(sum / (honest.length - 1)));
}
