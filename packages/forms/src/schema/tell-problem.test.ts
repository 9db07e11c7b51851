import { describe, expect, it } from "vitest";
import { tellProblem } from "./tell-problem.ts";

describe("tellProblem()", () => {
  it.each([
    [{ code: "too_small", message: "", minimum: 1, inclusive: true, origin: "number" }, "must be at least 1"],
    [{ code: "too_small", message: "", minimum: 0, inclusive: false, origin: "number" }, "must be above 0"],
    [{ code: "too_big", message: "", maximum: 1, inclusive: false, origin: "number" }, "must be below 1"],
    [{ code: "too_small", message: "", minimum: 1, origin: "array" }, "must have at least 1 entry"],
    [
      { message: "Invalid input: expected object, received string" },
      "must be a mapping of keys to values: it is text",
    ],
    [{ message: "Invalid input: expected string, received undefined" }, "is missing"],
    [{ message: "must be a time" }, "must be a time"],
    [
      { code: "invalid_union", message: "Invalid input", options: ["sgd", "adam"] },
      "must be one of sgd, adam",
    ],
  ])("tellProblem() says %j in plain words", (problem, words) => {
    expect(tellProblem(["limits", "norm"], problem)).toBe(`"limits.norm" ${words}`);
  });
});
