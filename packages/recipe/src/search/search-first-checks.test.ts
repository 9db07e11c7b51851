import { readFile } from "node:fs/promises";
import { type Checkpoint, createCheckpoint, createTensor, sumOf } from "@isthmus/core";
import { describe, expect, test } from "vitest";
import { planRecipe } from "../plan/plan-recipe.ts";
import { parseRecipe } from "../read/parse-recipe.ts";
import type { ModelReference } from "../recipe/recipe.ts";
import { judgeByCommand } from "./judges.ts";
import type { JudgeMerge } from "./open-candidates.ts";
import { searchMerge } from "./search-merge.ts";
import { valuesOfEachOption } from "./search-space.ts";

/** Opens a network of two weights, which the number at the end of its name and its first letter decide. */
const open = async (reference: ModelReference): Promise<Checkpoint> => {
  const name = String(reference);
  const data = Float32Array.of(name.charCodeAt(0) / 100, Number(name.slice(-1)) || 0, name.length, -1);
  return createCheckpoint({ "lm_head.weight": createTensor("f32", [2, 2], data) }, {}, name);
};
const sumOfWeights: JudgeMerge = async ({ network }) =>
  sumOf(Array.from((await network.read("lm_head.weight")).data, Number));
const models = (...lines: string[]) => `models:\n${lines.map((line) => `  - ${line}\n`).join("")}`;

describe("before its first evaluation, a search", () => {
  test("runs the first recipe of docs/search.md as it is written there", async () => {
    const page = await readFile(new URL("../../../../docs/search.md", import.meta.url), "utf8");
    const [, text = ""] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
    const { candidates, choices } = await searchMerge(parseRecipe(text), {
      open,
      judge: sumOfWeights,
      evaluations: 40,
    });
    expect(candidates.every(({ score }) => Number.isFinite(score))).toBe(true);
    expect(choices.flatMap(({ options }) => options.map(({ option }) => option))).toEqual([
      ...["task_arithmetic", "ties", "pcb"],
      ...["math-1", "math-2"],
    ]);
  });

  test("plans each option, and judges nothing if one lacks a setting", async () => {
    const judged: unknown[] = [];
    const judge: JudgeMerge = async ({ recipe }) => judged.push(recipe);
    const text = `merge_method: { choose: [pcb, ties] }\nbase_model: base\n${models("model: { choose: [a, b] }", "model: c")}`;
    await expect(searchMerge(parseRecipe(text), { open, judge })).rejects.toThrow(
      '"models[0]" has no "weight" for "lm_head.weight", and ties has no default',
    );
    expect(judged).toEqual([]);
    const recipe = { a: { choose: [1, { b: { choose: [2, 3] } }] }, c: { search: [0, 2] } };
    expect(valuesOfEachOption(recipe)).toEqual([
      [0, 0, 1],
      [1, 0, 1],
      [1, 1, 1],
    ]);
  });

  test("names an unknown method rather than too few evaluations, and says how many are needed", async () => {
    const text = (method: string) =>
      `merge_method: ${method}\n${models("{ model: a, parameters: { weight: { search: [0, 1] } } }", "model: b")}parameters: { weight: 1 }\n`;
    const options = { open, judge: sumOfWeights, evaluations: 3 };
    await expect(searchMerge(parseRecipe(text("liner")), options)).rejects.toThrow('did you mean "linear"');
    await expect(searchMerge(parseRecipe(text("linear")), options)).rejects.toThrow("allow 4 or more");
  });

  test("counts options that fit alone but not together as the worst, with a warning", async () => {
    const warnings = new Set<string>();
    const text = `merge_method: linear\n${models("choose: [{ model: a }, none]", "choose: [{ model: b }, none]")}parameters: { weight: 1 }\n`;
    const { best, candidates } = await searchMerge(parseRecipe(text), {
      ...{ open, judge: sumOfWeights, onWarning: (warning: string) => warnings.add(warning) },
    });
    expect(best.score).toBeLessThan(2);
    expect(candidates.some(({ score }) => Number.isNaN(score))).toBe(true);
    expect([...warnings].join()).toMatch(/counts as the worst.*"models" must not be empty/);
  });
});

test("a command is refused before anything is merged if it lacks a path, or its results are not read", () => {
  expect(() => judgeByCommand("python evaluate.py", "x")).toThrow("by {}");
  expect(() => judgeByCommand("lm_eval {} {results}", "x")).toThrow("add --lm-eval");
});

describe("a base beside a choice of methods", () => {
  const text = (methods: string) =>
    `merge_method: { choose: [${methods}] }\nbase_model: base\n${models("model: { choose: [a, b] }", "model: c")}parameters: { weight: 0.5 }\n`;

  test("stands in merges of the methods that need it, and the best can be merged again", async () => {
    const { best, candidates } = await searchMerge(parseRecipe(text("ties, linear")), {
      open,
      judge: async ({ recipe }) => (recipe.merge_method === "linear" ? 0 : 1),
    });
    expect(best.recipe).not.toHaveProperty("base_model");
    await expect(planRecipe(best.recipe, { open })).resolves.toBeDefined();
    for (const { recipe } of candidates)
      expect(recipe.base_model).toBe(recipe.merge_method === "ties" ? "base" : undefined);
  });

  test("is refused if none of the methods needs it", async () => {
    const judge = sumOfWeights;
    await expect(searchMerge(parseRecipe(text("linear, karcher")), { open, judge })).rejects.toThrow(
      '"base_model" has no effect on linear',
    );
  });
});
