import { existsSync } from "node:fs";
import { join } from "node:path";
import { at, InputError, openCheckpoint, UsageError } from "@isthmus/core";
import { isAdapter } from "@isthmus/merging";
import type { Recipe } from "@isthmus/recipe";
import { noteWarnings } from "../options/recipe-reading.ts";
import type { CommonOptions, Context, Outcome } from "../verb.ts";
import type { MergeOptions } from "./merge-options.ts";
import { mergeRecipe } from "./merge-recipe.ts";

/** Options of networks, which merges of adapters refuse. */
const OF_NETWORKS = {
  align: "--align",
  graph: "--graph",
  statistics: "--statistics",
  layers: "--layers",
  layersFrom: "--layers-from",
  requireBarrier: "--require-barrier",
} as const;

/**
 * Checks whether all of some paths are adapters, folders or files, which are merged with each other.
 * @throws UsageError if only some of them are
 * @throws InputError if one of them is not there
 * @throws FormatError if one of them is damaged or cut short
 */
export async function areAdapters(paths: readonly string[]): Promise<boolean> {
  const adapters = await Promise.all(paths.map(isAdapter));
  if (adapters.length === 0 || adapters.every(Boolean)) return adapters.length > 0;
  const mixed = paths.find((_, i) => adapters[i]);
  if (mixed === undefined) return false;
  for (const path of paths) await assertComplete(path);
  const [network = "", ...others] = paths.filter((_, i) => !adapters[i]);
  // A file that was cut short is no network either, and opening it says so.
  for (const path of [network, ...others]) await (await openCheckpoint(path)).close();
  const applied = [network, ...paths.filter((_, i) => adapters[i])].join("+");
  throw new UsageError(
    `Cannot merge "${mixed}" with networks as it is an adapter, which changes one: write it behind the network that it changes, as isthmus merge ${[applied, ...others].join(" ")}`,
  );
}

/**
 * Checks that a folder does not have the weights of an adapter alone.
 * @throws InputError if it lacks the settings of the adapter
 */
async function assertComplete(path: string): Promise<void> {
  const [weights, settings] = ["adapter_model.safetensors", "adapter_config.json"] as const;
  if (!existsSync(join(path, weights)) || existsSync(join(path, settings))) return;
  throw new InputError(
    `Cannot merge the adapter "${path}" as its folder must have ${settings} beside ${weights}: it has only the weights; copy the settings there, which PEFT saved with them`,
    { input: path },
  );
}

/**
 * Merges LoRA adapters with each other, by the recipe that the options stand for.
 * @throws UsageError if an option is of networks only, or there is not one weight for each adapter
 */
export async function mergeAdapterPaths(
  paths: readonly string[],
  options: MergeOptions & CommonOptions,
  context: Context,
): Promise<Outcome> {
  for (const [name, option] of Object.entries(OF_NETWORKS)) {
    if (options[name as keyof typeof OF_NETWORKS] === undefined) continue;
    throw new UsageError(
      `Cannot merge adapters with ${option} as it is for networks: leave it out, or merge models as base+adapter by a recipe`,
    );
  }
  const { combination = "cat", dtype, rank, density } = options;
  const isCore = combination.startsWith("core_");
  // A method in core space has weights and defaults of its own.
  const { weights = isCore ? undefined : paths.map(() => 1 / paths.length) } = options;
  if (weights !== undefined && weights.length !== paths.length) {
    throw new UsageError(
      `Cannot merge ${paths.length} adapters as --weights needs one number for each: got ${weights.length}`,
    );
  }
  const parameters = { ...(rank !== undefined && { rank }), ...(density !== undefined && { density }) };
  const recipe: Recipe = {
    merge_method: combination,
    models: paths.map((model, i) => ({
      model,
      ...(weights !== undefined && { parameters: { weight: at(weights, i, "weight") } }),
    })),
    ...(Object.keys(parameters).length > 0 && { parameters }),
    ...(dtype !== undefined && { dtype }),
  };
  const named = {
    recipe,
    file: null,
    reading: noteWarnings(options, context),
    weights: describeWeights(options, weights),
  };
  return mergeRecipe(named, options, context);
}

/** Describes the weights of adapters, and how other weights are named if these are the default. */
function describeWeights(
  { weights: named }: MergeOptions,
  weights: readonly number[] | undefined,
): string | undefined {
  if (weights === undefined) return undefined;
  const shown = weights.map((weight) => Number(weight.toPrecision(4))).join(", ");
  return named === undefined ? `${shown}: the mean; --weights ${weights.map(() => 1)} is the sum` : shown;
}
