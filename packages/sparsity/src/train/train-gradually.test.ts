import { expect, test } from "vitest";
import { GRADUAL_DEFAULTS, gradualSparsity } from "./train-gradually.ts";

test("gradualSparsity() is the cubic schedule of Zhu and Gupta", () => {
  const rules = { ...GRADUAL_DEFAULTS, sparsity: 0.9, initialSparsity: 0.1, begin: 0.25, end: 0.75 };
  const at = (finished: number) => gradualSparsity({ finished, steps: 100 }, rules);
  expect(at(24)).toBe(0);
  expect(at(25)).toBeCloseTo(0.1, 12);
  expect(at(50)).toBeCloseTo(0.9 - 0.8 / 8, 12);
  expect([at(75), at(100)]).toEqual([0.9, 0.9]);
});
