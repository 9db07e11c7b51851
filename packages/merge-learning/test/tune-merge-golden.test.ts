import { readFileSync } from "node:fs";
import { tuneMerge } from "@isthmus/merge-learning";
import { parseRecipe } from "@isthmus/recipe";
import { describe, expect, test } from "vitest";
import { inFreshFolders } from "../../../test/helpers/fresh-folder.ts";
import { saveTwoHeaded, twoHeadedTask } from "./two-headed.ts";

/** What PyTorch learns, and SciPy solves, in f64; see tools/golden/tuned-merges.py. */
const golden: {
  readonly steps: number;
  readonly rate: number;
  readonly learned: readonly {
    readonly objective: "entropy" | "loss" | "distillation";
    readonly by: "model" | "layer" | "tensor";
    readonly method: "linear" | "task_arithmetic";
    readonly losses: readonly number[];
    readonly weights: readonly number[];
  }[];
  readonly solved: readonly {
    readonly by: "model" | "layer" | "tensor";
    readonly bounds: readonly [number, number] | null;
    readonly sum: number | null;
    readonly weights: readonly number[];
    readonly distance: number;
  }[];
} = JSON.parse(readFileSync(new URL("golden/tuned-merges.json", import.meta.url), "utf8"));

let recipeOf: (method: string) => string;
inFreshFolders(async (folder) => {
  const [base, a, b] = await saveTwoHeaded(folder);
  recipeOf = (method) =>
    JSON.stringify({
      merge_method: method,
      ...(method === "linear" ? {} : { base_model: base }),
      models: [{ model: a }, { model: b }],
    });
});

const tasks = [twoHeadedTask(0), twoHeadedTask(1)];

function expectNear(got: readonly number[], expected: readonly number[]): void {
  expect(got).toHaveLength(expected.length);
  const distance = Math.max(...expected.map((value, i) => Math.abs(value - (got[i] ?? Number.NaN))));
  expect(distance).toBeLessThan(1e-5);
}

describe.each(golden.learned)("$objective by $by, $method", ({ objective, by, method, losses, weights }) => {
  test("tuneMerge() learns what PyTorch learns", async () => {
    const result = await tuneMerge(parseRecipe(recipeOf(method)), tasks, {
      objective,
      by,
      start: 0.3,
      batch: 6,
      steps: golden.steps,
      learningRate: golden.rate,
    });
    expectNear(result.losses, losses);
    expectNear(
      result.groups.flatMap((group) => group.weights),
      weights,
    );
    expect(result.tasks.every(({ before, after }) => before.loss !== after.loss)).toBe(true);
  });
});

describe.each(golden.solved)("by $by in $bounds of sum $sum", ({ by, bounds, sum, weights, distance }) => {
  test("tuneMerge() finds the weights in closed form that SciPy finds", async () => {
    const { groups, losses } = await tuneMerge(parseRecipe(recipeOf("task_arithmetic")), tasks, {
      objective: "output-space",
      by,
      bounds: bounds ?? undefined,
      sum: sum ?? undefined,
    });
    expectNear(
      groups.flatMap((group) => group.weights),
      weights,
    );
    expect(losses[1]).toBeCloseTo(distance, 5);
  });
});
