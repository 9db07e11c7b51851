import { type Checkpoint, UsageError } from "@isthmus/core";
import { type MergePlan, saveMerge } from "@isthmus/merging";
import { writeModelFiles } from "@isthmus/recipe";
import { assertNoModelFolder } from "@isthmus/zoo";
import { findAdapterLayout } from "../adapters/adapter-layout.ts";
import { buildAdapterMixture, planAdapterMixture } from "../adapters/build-adapter-mixture.ts";
import type { BuildMixtureOptions, BuildMixtureResult, PlannedMixture } from "./build-mixture-options.ts";
import { describeMixture, savingOptions } from "./describe-mixture.ts";
import { removeKeptGates } from "./keep-gates.ts";
import { mixtureConfig } from "./mixture-config.ts";
import { modelsOf, openGates, zeroGates } from "./open-gates.ts";
import { type OpenedMixture, type OpenMixtureOptions, openMixture } from "./open-mixture.ts";
import { planMixture } from "./plan-mixture.ts";
import type { ReadMixtureRecipe } from "./read-mixture-recipe.ts";

/**
 * Plans a mixture without reading weights: the plan says from which tensor each tensor of the result comes.
 * @throws the same errors as {@link buildMixture}
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { mkdir, writeFile } from "node:fs/promises";
 * import { saveCheckpoint } from "@isthmus/core";
 * import { parseMixtureRecipe, planMixtureRecipe } from "@isthmus/mixtures";
 * import { networkOfConfig } from "@isthmus/zoo";
 *
 * const sizes = { vocab_size: 3, hidden_size: 8, intermediate_size: 12, num_hidden_layers: 2 };
 * const config = { model_type: "llama", ...sizes, num_attention_heads: 2 };
 * for (const [seed, name] of ["poet", "clerk"].entries()) {
 *   await mkdir(name);
 *   await saveCheckpoint(networkOfConfig(config).initialize(seed), `${name}/`);
 *   await writeFile(`${name}/config.json`, JSON.stringify(config));
 * }
 * const read = parseMixtureRecipe(`
 * base_model: poet
 * gate_mode: random
 * experts: [{ source_model: poet }, { source_model: clerk }]
 * `);
 * const { layout, plan } = await planMixtureRecipe(read);
 * assert.equal(layout, "Mixtral");
 * const expert = plan.tensors.get("model.layers.1.block_sparse_moe.experts.1.w3.weight");
 * assert.match(expert?.reason ?? "", /up_proj of expert 1/);
 * ```
 */
export async function planMixtureRecipe(
  read: ReadMixtureRecipe,
  options: OpenMixtureOptions & Pick<BuildMixtureOptions, "onNote"> = {},
): Promise<PlannedMixture & { readonly plan: MergePlan }> {
  const adapters = findAdapterLayout(read.recipe);
  if (adapters !== undefined) return planAdapterMixture(read, adapters, options);
  const opened = await openMixture(read, options);
  try {
    for (const note of opened.notes) options.onNote?.(note);
    const plan = planMixture(opened, zeroGates(opened));
    return { ...describe(opened, plan), plan };
  } finally {
    await opened.close();
  }
}

/**
 * Makes a mixture of experts from dense models by a recipe of mergekit-moe, and saves it as a folder that
 * transformers loads: attention, embeddings and head of the base, the feed-forward networks of the models as
 * experts, and a router in each layer by the mode of gates. With a layout of adapters, such as X-LoRA, the
 * folder is one that PEFT loads: adapters of the base, and one router that reads its last hidden states.
 *
 * Tensors are copied piece by piece within a limit of memory. Gates and pieces that an interrupted call has
 * finished are kept in hidden files: the same call goes on from there, and makes the same bytes.
 *
 * @param read - the recipe, as `readMixtureRecipe` returns it
 * @param output - folder of the result
 * @throws InputError if a model cannot be opened, prompts are missing, or the output cannot be written
 * @throws MismatchError if the models differ in shape or vocabulary
 * @throws UnsupportedError if no layout carries the models; the message says what each lacks
 *
 * Source: mergekit 0.1.5, mergekit-moe. Differs from it: tensors have the names of published models;
 * windows of attention are kept if the layout has them; hidden states are computed in f32, not bf16; random
 * numbers come from a seed.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { mkdir, writeFile } from "node:fs/promises";
 * import { saveCheckpoint } from "@isthmus/core";
 * import { buildMixture, parseMixtureRecipe } from "@isthmus/mixtures";
 * import { networkOfConfig } from "@isthmus/zoo";
 *
 * const sizes = { vocab_size: 3, hidden_size: 8, intermediate_size: 12, num_hidden_layers: 2 };
 * const config = { model_type: "llama", ...sizes, num_attention_heads: 2 };
 * for (const [seed, name] of ["writer", "coder"].entries()) {
 *   await mkdir(name);
 *   await saveCheckpoint(networkOfConfig(config).initialize(seed), `${name}/`);
 *   await writeFile(`${name}/config.json`, JSON.stringify(config));
 * }
 * const read = parseMixtureRecipe(`
 * base_model: writer
 * gate_mode: random
 * experts: [{ source_model: writer }, { source_model: coder }]
 * `);
 * const { layout, output } = await buildMixture(read, "mixture", { seed: 1 });
 * assert.deepEqual([layout, output.path.endsWith("mixture/model.safetensors")], ["Mixtral", true]);
 * ```
 */
export async function buildMixture(
  read: ReadMixtureRecipe,
  output: string,
  options: BuildMixtureOptions = {},
): Promise<BuildMixtureResult> {
  const { resume = true, onNote, onProgress } = options;
  if (output.endsWith(".safetensors") || output.endsWith(".gguf")) {
    throw new UsageError(
      `Cannot write a mixture to "${output}" as it is a folder of weights, config and tokenizer: name a folder`,
    );
  }
  const adapters = findAdapterLayout(read.recipe);
  if (adapters !== undefined) return buildAdapterMixture(read, output, { ...options, layout: adapters });
  const opened = await openMixture(read, options);
  let gates: Checkpoint | undefined;
  try {
    const { extents, layout, dtype, seed, mode } = opened;
    const models = modelsOf(opened);
    await assertNoModelFolder(
      output,
      models.map(({ directory }) => directory),
    );
    for (const note of opened.notes) onNote?.(note);
    if (!resume) await removeKeptGates(output);
    const { engine, signal } = options;
    const onShare = (done: number) => onProgress?.({ phase: "gates", done });
    gates = await openGates(opened, output, { engine, signal, onNote, onProgress: onShare });
    const plan = planMixture(opened, gates);
    const { maxShardBytes } = options;
    const saved = await saveMerge(plan, output.endsWith("/") ? output : `${output}/`, {
      ...savingOptions(options, { seed, layout: layout.name, gates: mode, recipe: read.recipe }),
      ...(maxShardBytes === undefined ? {} : { maxShardBytes }),
      onProgress: ({ done }) => onProgress?.({ phase: "writing", done }),
    });
    const { files, notes } = await writeModelFiles(output, {
      base: extents.base.directory,
      networks: models.map(({ name, directory }) => ({
        name,
        directory,
        isBase: name === extents.base.name,
      })),
      recipe: read.text,
      method: `mixture of experts, ${layout.name}`,
      dtype,
      reshapeConfig: (config) => mixtureConfig(layout, extents, config),
    });
    for (const note of notes) onNote?.(note);
    await removeKeptGates(output);
    return { ...describe(opened, plan), output: saved, modelFiles: files };
  } finally {
    await gates?.close();
    await opened.close();
  }
}

function describe({ layout, mode, extents, shared }: OpenedMixture, plan: MergePlan): PlannedMixture {
  const { experts, active, base } = extents;
  const sizes = { experts, active, shared: shared !== undefined, layers: base.layers };
  return describeMixture({ layout: layout.name, gateMode: mode, ...sizes }, plan);
}
