import { at } from "@isthmus/core";
import type { MixingGroup } from "@isthmus/symmetry";

/** A complex number; as a matrix, `[[re, -im], [im, re]]`, it multiplies pairs. */
export interface Complex {
  /** Real part. */
  readonly re: number;
  /** Imaginary part. */
  readonly im: number;
}

/** Returns the complex number nearest to a matrix, `[2, 2]`, in the sum of squares. */
export function complexOf(matrix: Float64Array): Complex {
  const [a, b, c, d] = [0, 1, 2, 3].map((index) => at(matrix, index, "element")) as [
    number,
    number,
    number,
    number,
  ];
  return { re: (a + d) / 2, im: (c - b) / 2 };
}

/** Returns the matrix of a complex number, `[2, 2]`. */
export function matrixOf({ re, im }: Complex): Float64Array {
  return Float64Array.of(re, -im, im, re);
}

/** Divides a complex number by its length; 0 becomes 1. */
export function unitOf({ re, im }: Complex): Complex {
  const length = Math.hypot(re, im);
  return length > 0 ? { re: re / length, im: im / length } : { re: 1, im: 0 };
}

/** Divides 1 by the conjugate of a complex number: its matrix is the inverse, transposed. */
export function inverseConjugate({ re, im }: Complex): Complex {
  const square = re * re + im * im;
  return { re: re / square, im: im / square };
}

/** Multiplies a complex number by the exponential of another. */
export function timesExponential({ re, im }: Complex, step: Complex): Complex {
  const length = Math.exp(step.re);
  const [x, y] = [length * Math.cos(step.im), length * Math.sin(step.im)];
  return { re: x * re - y * im, im: x * im + y * re };
}

/** Checks whether the matrices of a group are complex numbers. */
export function isComplex(group: MixingGroup): group is "complex" | "unit-complex" {
  return group === "complex" || group === "unit-complex";
}
