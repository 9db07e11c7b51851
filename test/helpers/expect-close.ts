import type { Tensor } from "@isthmus/core";
import { expect } from "vitest";

/**
 * Expects two tensors to have equal element types and shapes, and elements equal to `tolerance`, relative to
 * the largest finite one or 1.
 */
export function expectClose(got: Tensor | undefined, wanted: Tensor | undefined, tolerance: number): void {
  expect({ dtype: got?.dtype, shape: got?.shape }).toEqual({ dtype: wanted?.dtype, shape: wanted?.shape });
  const [left, right] = [numbersOf(got), numbersOf(wanted)];
  const scale = Math.max(1, ...right.map((value) => (Number.isFinite(value) ? Math.abs(value) : 0)));
  let worst = 0;
  left.forEach((value, i) => {
    if (!Object.is(value, right[i]) && value !== right[i])
      worst = Math.max(worst, Math.abs(value - right[i]!));
    if (Number.isNaN(value) !== Number.isNaN(right[i])) worst = Number.POSITIVE_INFINITY;
  });
  expect(worst, "largest difference").toBeLessThanOrEqual(tolerance * scale);
}

const numbersOf = (tensor: Tensor | undefined): number[] =>
  Array.from((tensor?.data ?? []) as ArrayLike<number | bigint>, Number);
