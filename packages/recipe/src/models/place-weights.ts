import { type Checkpoint, createFolder } from "@isthmus/core";
import { basename, join } from "@isthmus/platform";

/** Beginning of the names of files of weights in folders of diffusers, which loads no others. */
const DIFFUSERS = "diffusion_pytorch_model";

/**
 * Returns the path to save merged weights to: a folder for the merge of networks of diffusers is created, and
 * the file in it gets the name that diffusers looks for.
 * @param networks - networks that are merged; the first decides
 */
export async function placeWeights(output: string, [first]: readonly Checkpoint[]): Promise<string> {
  const isOfDiffusers = first?.files.some((file) => basename(file).startsWith(DIFFUSERS)) ?? false;
  if (!isOfDiffusers || output.endsWith(".safetensors") || output.endsWith(".gguf")) return output;
  await createFolder(output);
  return join(output, `${DIFFUSERS}.safetensors`);
}
