import {
  type SaveCheckpointOptions,
  type SaveCheckpointResult,
  saveCheckpoint,
  UsageError,
} from "@isthmus/core";
import { extname } from "@isthmus/platform";
import { openModel, untieHead } from "@isthmus/zoo";
import { type CopyModelFilesOptions, copyModelFiles } from "./copy-model-files.ts";

/** Options of {@link untieModel}. */
export interface UntieModelOptions
  extends Omit<SaveCheckpointOptions, "buffers">,
    Pick<CopyModelFilesOptions, "onNote"> {}

/**
 * Writes a model whose head is its embedding as a model with a separate head, which is a copy of the
 * embedding. The output is a folder with weights, config and tokenizer, which loads like the input and
 * computes the same.
 *
 * Two models with separate heads can be aligned by rotations of their residual streams, which a tied head
 * forbids.
 *
 * @param model - folder with `config.json` and weights
 * @param output - folder to write
 * @throws MismatchError if the head is separate already, or is scaled because it is the embedding
 * @throws UsageError if the output has the ending of a file
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { writeFile } from "node:fs/promises";
 * import { openCheckpoint, saveCheckpoint } from "@isthmus/core";
 * import { untieModel } from "@isthmus/recipe";
 * import { networkOfConfig } from "@isthmus/zoo";
 *
 * const config = { model_type: "gpt2", vocab_size: 5, n_embd: 4, n_layer: 1, n_head: 1, n_positions: 8 };
 * await saveCheckpoint(networkOfConfig(config).initialize(0), "gpt2/");
 * await writeFile("gpt2/config.json", JSON.stringify(config));
 *
 * await untieModel("gpt2", "gpt2-untied");
 * const untied = await openCheckpoint("gpt2-untied");
 * assert.deepEqual(untied.tensors.get("lm_head.weight")?.shape, [5, 4]);
 * await untied.close();
 * ```
 */
export async function untieModel(
  model: string,
  output: string,
  { onNote, ...options }: UntieModelOptions = {},
): Promise<SaveCheckpointResult> {
  if (extname(output) === ".safetensors") {
    throw new UsageError(
      `Cannot untie the head of "${model}" as the output must be a folder, for its config changes, too: "${output}" is a file`,
    );
  }
  const opened = await openModel(model);
  try {
    const untied = untieHead(opened);
    const saved = await saveCheckpoint(untied, output.endsWith("/") ? output : `${output}/`, options);
    const files = await copyModelFiles(model, output, { dtype: options.dtype, tied: false, onNote });
    return { ...saved, files: [...saved.files, ...files] };
  } finally {
    await opened.checkpoint.close();
  }
}
