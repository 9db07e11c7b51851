import type { MergePlan } from "@isthmus/merging";
import {
  createAligner,
  explainPlan,
  openRecipe,
  readMethods,
  readRecipe,
  saveRecipe,
  summarizePlan,
} from "@isthmus/recipe";
import { assertNoModelFolder } from "@isthmus/zoo";
import { createEngine } from "../options/engine-option.ts";
import { followAlignment } from "../terminal/follow-alignment.ts";
import type { Context, Outcome } from "../verb.ts";
import { formatExplanations, formatPlan, formatSavedRecipe } from "./format-recipe.ts";
import { type MergeOptions, outputOf } from "./merge-options.ts";
import { assertFitsRecipe } from "./recipe-options.ts";

/** Merges what a recipe describes, or only says what it would do. */
export async function mergeRecipe(path: string, options: MergeOptions, context: Context): Promise<Outcome> {
  assertFitsRecipe(options);
  const isPlanned = options.dryRun === true || options.explain !== undefined;
  const output = isPlanned ? undefined : outputOf(options);
  const [recipe, methods] = await Promise.all([readRecipe(path), readMethods(options.methods ?? [])]);
  const opened = await openRecipe(recipe, {
    ...{ methods, seed: options.seed },
    align: createAligner(await createEngine(options.engine), {
      ...{ graph: options.graph, ...followAlignment("weight", context) },
    }),
  });
  try {
    if (output === undefined) return describePlan(opened.plan, options);
    await assertNoModelFolder(
      output,
      opened.plan.networks.flatMap(({ files }) => files),
    );
    const { threads, memory, maxShardSize, allowNonFinite = false } = options;
    const saved = await saveRecipe(recipe, opened, output, {
      ...{ threads, memory, allowNonFinite, overwrite: true },
      ...(maxShardSize === undefined ? {} : { maxShardBytes: maxShardSize }),
      ...{ version: context.version, signal: context.signal },
      onProgress: ({ done }) => context.progress("Merging", done),
    });
    return {
      result: { recipe: path, method: recipe.merge_method, seed: opened.plan.seed, ...saved },
      text: formatSavedRecipe(recipe.merge_method, saved),
    };
  } finally {
    await opened.close();
  }
}

function describePlan(plan: MergePlan, { explain }: MergeOptions): Outcome {
  const summary = summarizePlan(plan);
  const tensors = explainPlan(plan, explain);
  const text = explain === undefined ? formatPlan(tensors, summary) : formatExplanations(tensors);
  return { result: { summary, tensors }, text };
}
