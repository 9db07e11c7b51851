import type { Matrix } from "@isthmus/linear-algebra";

type Elements = Float32Array | Float64Array;

/**
 * Keeps a share of the largest elements and sets the others to zero. All elements that equal the smallest
 * kept one are kept.
 * @param fewest - number of elements that are kept whatever the share
 */
export function trimInPlace(elements: Elements, density: number, fewest = 0): void {
  const count = Math.max(fewest, Math.floor(density * elements.length));
  if (count >= elements.length) return;
  const sizes = elements.map(Math.abs as (x: number) => number).sort();
  const least = count === 0 ? Infinity : sizes[sizes.length - count]!;
  for (let i = 0; i < elements.length; i++) if (Math.abs(elements[i]!) < least) elements[i] = 0;
}

/**
 * Averages at each place the elements that agree with the majority, each multiplied by the factor of its
 * vector. The majority is the sign of the sum of all elements at the place, without factors, or of the sum of
 * their signs (`frequency`); a sum of zero is positive.
 */
export function mergeBySign(
  vectors: readonly Elements[],
  factors: readonly number[],
  out: Elements,
  majority: "total" | "frequency" = "total",
): void {
  const byCount = majority === "frequency";
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (const vector of vectors) sum += byCount ? Math.sign(vector[i]!) : vector[i]!;
    let agreeing = 0;
    let count = 0;
    for (let k = 0; k < vectors.length; k++) {
      const x = vectors[k]![i]!;
      if (sum >= 0 ? x > 0 : x < 0) {
        agreeing += factors[k]! * x;
        count++;
      }
    }
    out[i] = count === 0 ? 0 : agreeing / count;
  }
}

/** Sets the elements of a square matrix to zero outside of square blocks along its diagonal, in place. */
export function keepBlocks({ columns, data }: Matrix, sizes: readonly number[]): void {
  let begin = 0;
  for (const size of sizes) {
    const end = begin + size;
    for (let i = begin; i < end; i++) {
      data.fill(0, i * columns, i * columns + begin);
      data.fill(0, i * columns + end, (i + 1) * columns);
    }
    begin = end;
  }
}
