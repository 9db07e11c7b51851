import { dot, type Random } from "@isthmus/core";

/** Computes the scalar product of two vectors. */
export function innerProduct(x: Float64Array, y: Float64Array): number {
  return dot({ dtype: "f64", data: x }, { dtype: "f64", data: y });
}

/** Computes the Euclidean norm of a vector. */
export function norm(x: Float64Array): number {
  return Math.sqrt(innerProduct(x, x));
}

/** Adds a multiple of a vector to another one in place. */
export function addMultipleInPlace(target: Float64Array, factor: number, x: Float64Array): void {
  for (let i = 0; i < target.length; i++) target[i] = (target[i] as number) + factor * (x[i] as number);
}

/** Multiplies a vector by a number in place. */
export function scaleInPlace(x: Float64Array, factor: number): void {
  for (let i = 0; i < x.length; i++) x[i] = (x[i] as number) * factor;
}

/**
 * Takes the parts along orthonormal vectors out of a vector in place, twice, as what rounding leaves of them
 * after once is not small where little else is left.
 * @returns the part along each vector
 */
export function orthogonalizeInPlace(x: Float64Array, basis: readonly Float64Array[]): Float64Array {
  const parts = new Float64Array(basis.length);
  for (let pass = 0; pass < 2; pass++) {
    basis.forEach((vector, i) => {
      const part = innerProduct(vector, x);
      parts[i] = (parts[i] as number) + part;
      addMultipleInPlace(x, -part, vector);
    });
  }
  return parts;
}

/** Draws a vector of independent signs. */
export function randomSigns(random: Random, dimension: number): Float64Array {
  return Float64Array.from({ length: dimension }, () => (random.uniform() < 0.5 ? -1 : 1));
}

/** Draws a vector of length 1, all directions equally likely. */
export function randomDirection(random: Random, dimension: number): Float64Array {
  const direction = Float64Array.from({ length: dimension }, () => random.normal());
  const length = norm(direction);
  scaleInPlace(direction, length > 0 ? 1 / length : 1);
  return direction;
}
