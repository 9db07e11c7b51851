import { formatNumber } from "@isthmus/findings";
import { Document, isMap, isSeq, visit } from "yaml";
import type { TaskScore } from "./bind-task.ts";
import type { TuneMergeResult } from "./tune-merge-result.ts";

/** Origin of a tuned recipe, for the comment at its top. */
export interface TunedRecipeOrigin {
  /** File of the recipe whose weights were replaced. */
  readonly recipe: string;
  /** Seed of the order of examples and of random methods. */
  readonly seed: number;
}

/** Objectives in words, as the comment of a recipe has them. */
const OBJECTIVES: Readonly<Record<TuneMergeResult["objective"], string>> = {
  entropy: "the entropy of its predictions, without labels",
  loss: "its loss on labels",
  distillation: "the divergence of its predictions from the experts', without labels",
  "output-space": "the distance of the outputs of its linear layers from the experts', in closed form",
};

/**
 * Writes the recipe that `tuneMerge` found as YAML that `isthmus merge` runs, with a comment on how its
 * weights were found, and on what was measured before and after.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine } from "@isthmus/engine";
 * import { formatTunedRecipe, openTunedTasks, tuneMerge } from "@isthmus/merge-learning";
 * import { parseRecipe } from "@isthmus/recipe";
 *
 * const recipe = parseRecipe(`
 * merge_method: linear
 * models:
 *   - model: examples/mnist-mlp/s0.safetensors
 *   - model: examples/mnist-mlp/s1.safetensors
 * `);
 * const names = { data: ["mnist:train@50"], graph: ["examples/mnist-mlp/graph.onnx"] };
 * const { tasks, close } = await openTunedTasks(recipe, names, createOnnxRuntimeEngine());
 * const found = await tuneMerge(recipe, tasks, { by: "model", steps: 3 });
 * await close();
 * assert.match(formatTunedRecipe(found, { recipe: "recipe.yml", seed: 0 }), /^# Weights by model/);
 * ```
 */
export function formatTunedRecipe(result: TuneMergeResult, origin: TunedRecipeOrigin): string {
  const document = new Document(result.recipe);
  visit(document, {
    Map(_, node) {
      if (node.has("value") && node.items.length <= 2) node.flow = true;
    },
    Seq(_, node) {
      if (node.items.every((item) => !isMap(item) && !isSeq(item))) node.flow = true;
    },
  });
  const comment = describeTuned(result, origin).map((line) => `# ${line}`.trimEnd());
  // A name that is longer than a line stays whole.
  return `${comment.join("\n")}\n${document.toString({ lineWidth: 0 })}`;
}

/** Describes in lines of text how weights were found, and what was measured. */
export function describeTuned(
  { objective, by, steps, tasks }: TuneMergeResult,
  { recipe, seed }: TunedRecipeOrigin,
): readonly string[] {
  const made = steps === 0 ? "" : ` in ${steps} steps, seed ${seed}`;
  return [
    `Weights by ${by} that isthmus tune-merge found for ${recipe}: they minimise`,
    `${OBJECTIVES[objective]}${made}.`,
    "Measured with the weights before, and with these:",
    ...tasks.map(
      ({ evaluated, examples, before, after }) =>
        `  ${evaluated} (${examples} examples): ${formatScores(before, after)}`,
    ),
  ];
}

/** Formats what was measured on one data set. */
function formatScores(before: TaskScore, after: TaskScore): string {
  const pairs = [
    ["loss", before.loss, after.loss, formatNumber],
    ["errors", before.error, after.error, (share: number) => `${(100 * share).toFixed(2)} %`],
  ] as const;
  const measured = pairs.flatMap(([name, from, to, format]) =>
    from === null || to === null ? [] : [`${name} ${format(from)}, then ${format(to)}`],
  );
  return measured.length === 0 ? "no labels, not measured" : measured.join("; ");
}
