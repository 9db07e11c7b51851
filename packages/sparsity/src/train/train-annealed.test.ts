import { expect, it } from "vitest";
import { fadingProbability } from "./train-annealed.ts";

it("fadingProbability() falls from the first value to 0 along half a cosine", () => {
  const rules = { initial: 0.8, end: 0.5, steps: 100 };
  expect(fadingProbability(0, rules)).toBe(0.8);
  expect(fadingProbability(25, rules)).toBeCloseTo(0.4, 9);
  expect([50, 75, 100].map((step) => fadingProbability(step, rules))).toEqual([0, 0, 0]);
  expect(fadingProbability(0, { ...rules, steps: 0 })).toBe(0);
});
