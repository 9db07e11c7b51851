import type { Random } from "@isthmus/core";
import type { AttackNorm, ExampleRange } from "./attack-options.ts";

/**
 * Where a changed example must stay: at most `radius` from the original, and within the range of its numbers.
 */
export interface Ball extends Pick<ExampleRange, "low" | "high"> {
  readonly norm: AttackNorm;
  /** In the numbers of the examples. */
  readonly radius: number;
}

/**
 * Moves an example up its gradient in place: by `size` in every number along the gradient's sign for `linf`,
 * by `size` in all along its direction for `l2`. Where the gradient is 0 nothing moves.
 */
export function ascendInPlace(
  example: Float32Array,
  gradient: Float32Array,
  { norm, size }: { readonly norm: AttackNorm; readonly size: number },
): void {
  const length = norm === "l2" ? lengthOf(gradient) : 1;
  if (length === 0) return;
  for (let i = 0; i < example.length; i++) {
    const slope = gradient[i] as number;
    example[i] = (example[i] as number) + size * (norm === "l2" ? slope / length : Math.sign(slope));
  }
}

/** Brings a changed example back into its ball in place. */
export function projectInPlace(example: Float32Array, original: Float32Array, ball: Ball): void {
  const { norm, radius, low, high } = ball;
  let share = 1;
  if (norm === "l2") {
    const distance = Math.sqrt(squaredDistance(example, original));
    share = distance > radius ? radius / distance : 1;
  }
  for (let i = 0; i < example.length; i++) {
    const from = original[i] as number;
    const change = (example[i] as number) - from;
    const within = norm === "l2" ? share * change : Math.min(radius, Math.max(-radius, change));
    example[i] = Math.min(high, Math.max(low, from + within));
  }
}

/**
 * Moves an example to a random place of its ball in place: uniform for `linf`, for `l2` in a uniform
 * direction with a distance such that the place is uniform in the ball.
 */
export function scatterInPlace(example: Float32Array, ball: Ball, random: Random): void {
  const { norm, radius } = ball;
  const original = example.slice();
  if (norm === "linf") {
    for (let i = 0; i < example.length; i++)
      example[i] = (example[i] as number) + radius * (2 * random.uniform() - 1);
  } else {
    const direction = Float32Array.from(example, () => random.normal());
    const size = radius * random.uniform() ** (1 / example.length);
    ascendInPlace(example, direction, { norm, size });
  }
  projectInPlace(example, original, ball);
}

function squaredDistance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] as number) - (b[i] as number)) ** 2;
  return sum;
}

function lengthOf(vector: Float32Array): number {
  let sum = 0;
  for (const value of vector) sum += value ** 2;
  return Math.sqrt(sum);
}
