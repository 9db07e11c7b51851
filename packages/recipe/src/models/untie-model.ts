import { extname } from "node:path";
import {
  type SaveCheckpointOptions,
  type SaveCheckpointResult,
  saveCheckpoint,
  UsageError,
} from "@isthmus/core";
import { openModel, untieHead } from "@isthmus/zoo";
import { copyModelFiles } from "./copy-model-files.ts";

/** Options of {@link untieModel}. */
export type UntieModelOptions = Omit<SaveCheckpointOptions, "buffers">;

/**
 * Writes a model whose head is its embedding as one with a head of its own, a copy of the embedding: a folder
 * with weights, config and tokenizer, which computes the same and loads as the first did.
 *
 * Two such models can be aligned by rotations of their residual streams, which a tied head forbids.
 *
 * @param model - folder with `config.json` and weights
 * @param output - folder to write
 * @throws MismatchError if the head is separate already, or is scaled for being the embedding
 * @throws UsageError if the output has the ending of a file
 *
 * @example
 * ```ts
 * import { untieModel } from "@isthmus/recipe";
 *
 * await untieModel("gpt2", "gpt2-untied");
 * ```
 */
export async function untieModel(
  model: string,
  output: string,
  options: UntieModelOptions = {},
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
    const files = await copyModelFiles(model, output, { dtype: options.dtype, tied: false });
    return { ...saved, files: [...saved.files, ...files] };
  } finally {
    await opened.checkpoint.close();
  }
}
