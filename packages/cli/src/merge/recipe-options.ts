import type { Command } from "@commander-js/extra-typings";
import { isGgufEncoding, UsageError } from "@isthmus/core";
import { addRareOptions, HELP_GROUPS } from "../options/help-groups.ts";
import { type AddOptions, optionGroup } from "../options/option-group.ts";
import { collect, parseCount } from "../options/parse-values.ts";
import { addQueueOptions, type QueueOptions } from "../options/queue-options.ts";
import { addRecipeReadingOptions, type RecipeReadingOptions } from "../options/recipe-reading.ts";

/** Options of a merge by recipe. */
export type RecipeOptions = QueueOptions &
  RecipeReadingOptions & {
    /** True to print the plan alone and merge nothing. @defaultValue the merge runs */
    readonly dryRun?: true | undefined;
    /**
     * Part of a name, pattern or expression of the tensors whose making is printed; nothing is merged.
     * @defaultValue the merge runs
     */
    readonly explain?: string | undefined;
    /** JavaScript files that export further merge methods. @defaultValue none */
    readonly methods?: readonly string[] | undefined;
    /** Largest number of threads. @defaultValue one for each core */
    readonly threads?: number | undefined;
    /**
     * True to start anew although the same merge was interrupted.
     * @defaultValue the interrupted merge goes on
     */
    readonly restart?: true | undefined;
    /** True to store the SHA-256 digest of every input in the result. @defaultValue names alone */
    readonly hashInputs?: true | undefined;
  };

/** Adds the options of a merge by recipe. */
export const addRecipeOptions: AddOptions<RecipeOptions> = optionGroup((command) => {
  addRareOptions(command, (rare) => addQueueOptions(rare as Command, "of a recipe: "));
  addRecipeReadingOptions(command as Command)
    .optionsGroup(HELP_GROUPS.recipes)
    .option("--dry-run", "of a recipe: only print what would be merged, copied, read and written")
    .option(
      "--explain <pattern>",
      "of a recipe: only print how tensors are made: part of a name, a pattern with * and ?, or /expression/",
    )
    .option(
      "--methods <file>",
      "of a recipe: a JavaScript file that exports methods of your own, which is run; may be repeated",
      collect,
    );
  addRareOptions(command, (rare) =>
    rare
      .option("--threads <n>", "of a recipe: most threads (default: one for each core)", parseCount(1))
      .option("--restart", "of a recipe: start anew where the same merge was interrupted (default: go on)")
      .option(
        "--hash-inputs",
        "of a recipe: store the SHA-256 of every input, which isthmus verify compares (default: names alone)",
      ),
  );
});

/** Options that a recipe sets itself, each with the key of the recipe to use in its place. */
const IN_RECIPE: Readonly<Record<string, readonly [option: string, key: string]>> = {
  weights: ["--weights", "weight under the parameters of each model"],
  layers: ["--layers", "filters under the parameters"],
  blocks: ["--blocks", "blocks under the parameters"],
  layersFrom: ["--layers-from", "filters under the parameters"],
  combination: ["--combination", "merge_method"],
  rank: ["--rank", "rank under parameters"],
  density: ["--density", "density under parameters"],
  dtype: ["--dtype", "out_dtype"],
  align: ["--align", "align: true at a model"],
  statistics: ["--statistics", "nothing, and then isthmus merge with --statistics"],
};

/**
 * Checks that no option of a merge contradicts its recipe.
 * @throws UsageError if one does
 */
export function assertFitsRecipe(options: Readonly<Record<string, unknown>>): void {
  for (const [name, [option, key]] of Object.entries(IN_RECIPE)) {
    if (options[name] === undefined) continue;
    // A recipe has no key for encodings of GGUF, which say how its result is packed.
    if (name === "dtype" && isGgufEncoding(String(options[name]))) continue;
    throw new UsageError(`Cannot merge by a recipe with ${option} as the recipe says it: write ${key}`);
  }
}

/**
 * Checks that a merge without a recipe has no options of recipes.
 * @throws UsageError if it has
 */
export function assertNoRecipeOptions(options: RecipeOptions): void {
  const { dryRun, explain, methods, threads, restart, hashInputs, queue, storage, strict, document } =
    options;
  const present = Object.entries({
    "--dry-run": dryRun,
    "--explain": explain,
    "--methods": methods,
    "--threads": threads,
    "--restart": restart,
    "--hash-inputs": hashInputs,
    "--queue": queue,
    "--storage": storage,
    "--strict": strict,
    "--document": document,
  });
  const [option] = present.find(([, value]) => value !== undefined) ?? [];
  if (option === undefined) return;
  throw new UsageError(
    `Cannot merge checkpoints with ${option} as it is for recipes: name one file ending in .yml`,
  );
}
