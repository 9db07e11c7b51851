import { readFileSync } from "node:fs";
import { at, entry } from "@isthmus/core";
import { openRecipe, parseRecipe } from "@isthmus/recipe";
import { describe, expect, test } from "vitest";
import { inFreshFolders } from "../../../test/helpers/fresh-folder.ts";
import { derivativesInPlace, effectiveInto } from "../src/coefficients/effective-weights.ts";
import { openObjective } from "../src/coefficients/open-objective.ts";
import { openTuning } from "../src/coefficients/open-tuning.ts";
import { saveTwoHeaded, twoHeadedTask } from "./two-headed.ts";

/** Gradients by torch.func.grad; see tools/golden/tuned-merges.py. */
const {
  learned,
}: {
  readonly learned: readonly {
    readonly objective: "entropy" | "loss" | "distillation";
    readonly by: "model" | "layer" | "tensor";
    readonly method: "linear" | "task_arithmetic";
    readonly gradient: readonly number[];
  }[];
} = JSON.parse(readFileSync(new URL("golden/tuned-merges.json", import.meta.url), "utf8"));

let paths: readonly [base: string, a: string, b: string];
inFreshFolders(async (folder) => {
  paths = await saveTwoHeaded(folder);
});

describe.each(learned)("$objective by $by, $method", ({ objective, by, method, gradient }) => {
  test("the gradient by weights is that of torch.func, and of finite differences", async () => {
    const [base, a, b] = paths;
    const parameters = { weight: 0.3 };
    const text = { merge_method: method, models: [{ model: a }, { model: b }], parameters };
    const based = method === "linear" ? text : { ...text, base_model: base };
    const opened = await openRecipe(parseRecipe(JSON.stringify(based)));
    const tasks = [twoHeadedTask(0), twoHeadedTask(1)];
    const weighted = ["a", "b"].map((name, index) => ({ name, index }));
    const { groups, merged, bound } = await openTuning(opened, { by, weighted, tasks, signal: undefined });
    const judges = await Promise.all(
      bound.map(({ architecture, network, stored, experts }, i) =>
        openObjective(architecture, {
          objective,
          network,
          wanted: new Set(stored.keys()),
          batch: 6,
          seed: 0,
          data: at(tasks, i, "task").data,
          expert: at(experts, i, "expert"),
        }),
      ),
    );
    const weights = new Float64Array(groups.length * 2).fill(0.3);
    const factors = new Float64Array(weights.length);
    const differentiate = async (derivatives: Float64Array) => {
      effectiveInto(groups, weights, factors);
      merged.place(factors);
      let total = 0;
      for (const [i, judge] of judges.entries()) {
        const { stored, weights: tensorsOf } = at(bound, i, "task");
        const { loss, gradients } = await judge.step(tensorsOf(), 0);
        total += loss;
        for (const [name, values] of gradients)
          merged.pullBackInto(entry(stored, name, "weight"), values, derivatives);
      }
      derivativesInPlace(groups, { weights, factors }, derivatives);
      return total;
    };
    const derivatives = new Float64Array(weights.length);
    await differentiate(derivatives);
    for (const [i, slope] of gradient.entries()) {
      expect(derivatives[i]).toBeCloseTo(slope, 6);
      const ends = [];
      for (const move of [0.02, -0.04]) {
        weights[i] = at(weights, i) + move;
        ends.push(await differentiate(new Float64Array(weights.length)));
      }
      weights[i] = 0.3;
      // The networks compute in f32, so that a small step would be lost in rounding.
      expect((at(ends, 0) - at(ends, 1)) / 0.04).toBeCloseTo(slope, 3);
    }
    await Promise.all(judges.map((judge) => judge.release()));
    await opened.close();
  });
});
