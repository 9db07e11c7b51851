import { describe, expect, test } from "vitest";
import { compileFilter } from "./filter.ts";

describe("compileFilter()", () => {
  test.each([
    ["mlp", "model.layers.0.mlp.w", true],
    ["*.mlp.?", "model.layers.0.mlp.w", true],
    ["*.mlp", "model.layers.0.mlp.w", false],
    ["/layers\\.[0-4]\\.mlp/", "model.layers.3.mlp.w", true],
    ["/MLP/i", "model.layers.3.mlp.w", true],
    ["/MLP/", "model.layers.3.mlp.w", false],
    // Backtracking would not end on these.
    ["/^(([a-z_0-9])+.?)+[A-Z]$/", "model.layers.0.self_attn.q_proj.weight", false],
    ["/(a+)+$/", `${"a".repeat(4000)}!`, false],
    ["/(.*)*x$/i", `model.${"layers.".repeat(500)}0`, false],
  ])("%s", (filter, name, expected) => {
    expect(compileFilter(filter)(name)).toBe(expected);
  });
});
