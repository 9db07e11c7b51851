import { type Extents, gramOfTwo, type StepGram } from "./relax.ts";

/** Adds an array to a sum in place. */
export function addTo(sum: Float64Array, term: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += term[i]!;
}

/** Adds an array times a factor to a sum, in some of its rows and columns alone. */
export function addParts(
  sum: Float64Array,
  term: Float32Array,
  { rows, rest, columns }: Extents,
  { some, factor }: { some: readonly Int32Array[]; factor: number },
): void {
  const [someRows, someColumns = new Int32Array()] = some as [Int32Array, Int32Array?];
  const length = rest * columns;
  let next = 0;
  for (let i = 0; i < rows; i++) {
    const end = (i + 1) * length;
    if (someRows[next] === i) {
      next++;
      for (let at = i * length; at < end; at++) sum[at]! += factor * term[at]!;
      continue;
    }
    if (someColumns.length === 0) continue;
    for (let base = i * length; base < end; base += columns) {
      for (let k = 0; k < someColumns.length; k++) {
        sum[base + someColumns[k]!]! += factor * term[base + someColumns[k]!]!;
      }
    }
  }
}

/** Subtracts one term from a sum, which leaves the sum of the others. */
export function subtractInto(sum: Float64Array, term: Float32Array, out: Float32Array): void {
  for (let i = 0; i < out.length; i++) out[i] = sum[i]! - term[i]!;
}

/** The sums over all networks of the parts of a step of a weight. */
export interface StepSums {
  /** Sum of the relaxed weights before the step. */
  readonly image: Float64Array;
  /** Sum of the crosses; undefined if only rows move, as the cross is then the sum of image and vertex. */
  readonly cross: Float64Array | undefined;
  /** Sum of the weights permuted to the placement that the step leads to. */
  readonly vertex: Float64Array;
}

/** Computes the inner products of the sums of a step. */
export function gramOfSums({ image, cross, vertex }: StepSums): StepGram {
  let [xx, xc, xd, cc, cd, dd] = [0, 0, 0, 0, 0, 0];
  if (cross === undefined) {
    for (let i = 0; i < image.length; i++) {
      xx += image[i]! * image[i]!;
      xd += image[i]! * vertex[i]!;
      dd += vertex[i]! * vertex[i]!;
    }
    return gramOfTwo(xx, xd, dd);
  }
  for (let i = 0; i < image.length; i++) {
    const [x, c, d] = [image[i]!, cross[i]!, vertex[i]!];
    xx += x * x;
    xc += x * c;
    xd += x * d;
    cc += c * c;
    cd += c * d;
    dd += d * d;
  }
  return [xx, xc, xd, cc, cd, dd];
}

/** Takes a step of `t` in the sum of images. */
export function stepSums({ image, cross, vertex }: StepSums, t: number): void {
  const stay = 1 - t;
  if (cross === undefined) {
    for (let i = 0; i < image.length; i++) image[i] = stay * image[i]! + t * vertex[i]!;
    return;
  }
  const [u, v, w] = [stay ** 2, t * stay, t ** 2];
  for (let i = 0; i < image.length; i++) image[i] = u * image[i]! + v * cross[i]! + w * vertex[i]!;
}
