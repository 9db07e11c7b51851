import { hasGgufMetadata, UsageError } from "@isthmus/core";
import type { OpenedRecipe } from "./open-recipe.ts";

/**
 * Checks that a recipe can be merged into a GGUF file.
 * @throws UsageError if it merges adapters, or its first network is no GGUF file
 */
export function assertGgufResult(
  { plan, adapter }: Pick<OpenedRecipe, "plan" | "adapter">,
  output: string,
): void {
  if (adapter !== undefined)
    throw new UsageError(
      `Cannot merge adapters into "${output}" as a merged adapter is written with the names of its inputs: name a folder`,
    );
  if (hasGgufMetadata(plan.metadata)) return;
  throw new UsageError(
    `Cannot merge into "${output}" as a GGUF file has its architecture and tokenizer in its metadata, which come from the base or the first network: "${plan.networks[0].source}" has none; write a file ending in .safetensors, or a folder`,
  );
}
