import { InputError } from "@isthmus/core";
import { bindArchitecture, type Engine } from "@isthmus/graph";
import { type AlignOptions, align, alignMany, MATCH_WEIGHTS_DEFAULTS } from "@isthmus/weight-matching";
import { findModelConfig, openSharedArchitecture } from "@isthmus/zoo";
import type { AlignedInput, AlignInputs } from "../plan/open-inputs.ts";
import { isRecipe } from "../recipe/recipe.ts";
import { splitReference } from "./open-reference.ts";

/** Options of {@link createAligner}. */
export interface CreateAlignerOptions extends Pick<AlignOptions, "signal" | "onProgress"> {
  /**
   * File of the architecture, for inputs whose setting names no graph. @defaultValue the config.json beside
   * the weights
   */
  readonly graph?: string | undefined;
}

/**
 * Creates the function that aligns, by weights, the inputs of recipes that have `align`. The architecture is
 * read from the graph in the setting of the input, or from the config.json beside the weights.
 *
 * @param engine - engine that proves that aligned networks have the same outputs as before
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine } from "@isthmus/engine";
 * import { createAligner, parseRecipe, runRecipe } from "@isthmus/recipe";
 *
 * const recipe = parseRecipe(`
 * merge_method: linear
 * models:
 *   - model: examples/mnist-mlp/s0.safetensors
 *   - model: examples/mnist-mlp/s1.safetensors
 *     align: { graph: examples/mnist-mlp/graph.onnx, restarts: 1 }
 * `);
 * const align = createAligner(createOnnxRuntimeEngine());
 * const { summary } = await runRecipe(recipe, "aligned.safetensors", { align, overwrite: true });
 * assert.equal(summary.merged, 8);
 * ```
 */
export function createAligner(
  engine: Engine,
  { graph: shared, ...options }: CreateAlignerOptions = {},
): AlignInputs {
  return async (inputs, target, { graph = shared, restarts, seed = 0, many }) => {
    const paths = await Promise.all([target, ...inputs].map(pathOf));
    await assertKnown(paths, graph);
    const opened = await openSharedArchitecture(paths, engine, { graph });
    const all = [target, ...inputs].map(({ network }) => network);
    const architecture = await bindArchitecture(opened, all);
    const matching = { ...options, restarts: restarts ?? MATCH_WEIGHTS_DEFAULTS.restarts, seed };
    const { networks } =
      many === undefined
        ? await align(architecture, architecture.networks, matching)
        : await alignMany(architecture, architecture.networks, { ...options, restarts, seed, many });
    return networks.slice(1);
  };
}

/**
 * Checks that the architecture of the networks is known.
 * @throws InputError if no graph is named, and a network has no config
 */
async function assertKnown(paths: readonly string[], graph: string | undefined): Promise<void> {
  if (graph !== undefined) return;
  for (const path of paths) {
    if ((await findModelConfig(path)) !== undefined) continue;
    throw new InputError(
      `Cannot align "${path}" as it needs the architecture, and there is no config.json beside it: write "align: { graph: model.onnx, many: best }", without "many" for each by itself, or give --graph model.onnx (in a script: the option graph)`,
      { input: path },
    );
  }
}

async function pathOf({ reference, network }: AlignedInput): Promise<string> {
  return isRecipe(reference) ? network.source : (await splitReference(reference)).path;
}
