import {
  assertNoInput,
  convertCheckpoint,
  type GgufEncoding,
  hasGgufMetadata,
  type Importance,
  type SaveCheckpointResult,
  UsageError,
} from "@isthmus/core";
import type { MergePlan, SaveMergeOptions } from "@isthmus/merging";
import { basename, dirname, join, rm } from "@isthmus/platform";
import type { OpenedRecipe } from "./open-recipe.ts";

/** Options of {@link convertToGguf}. */
export interface GgufResultOptions
  extends Pick<SaveMergeOptions, "allowNonFinite" | "overwrite" | "signal" | "onProgress"> {
  /** Quantised encoding of the file. @defaultValue floats as merged */
  readonly encoding: GgufEncoding | undefined;
  /** Importance of columns for the encoding; undefined without. */
  readonly importance: Importance | undefined;
  /** Called with a sentence for tensors that have another type than the encoding asks for. */
  readonly onNote: ((note: string) => void) | undefined;
}

/**
 * Checks that a recipe can be merged into a GGUF file.
 * @throws UsageError if it merges adapters, or its first network is no GGUF file
 */
export function assertGgufResult({ plan, adapter }: OpenedRecipe, output: string): void {
  if (adapter !== undefined)
    throw new UsageError(
      `Cannot merge adapters into "${output}" as a merged adapter is written with the names of its inputs: name a folder`,
    );
  if (hasGgufMetadata(plan.metadata)) return;
  throw new UsageError(
    `Cannot merge into "${output}" as a GGUF file has its architecture and tokenizer in its metadata, which come from the base or the first network: "${plan.networks[0].source}" has none; write a file ending in .safetensors, or a folder`,
  );
}

/**
 * Returns the path of the merged weights before they become a GGUF file: beside it, hidden, so that an
 * interrupted merge goes on.
 */
export async function weightsBefore(output: string, { networks }: MergePlan): Promise<string> {
  await assertNoInput(
    [output],
    networks.flatMap(({ files }) => files),
  );
  return join(dirname(output), `.${basename(output)}.merged.safetensors`);
}

/** Converts merged weights to a GGUF file, and removes them. */
export async function convertToGguf(
  merged: string,
  output: string,
  {
    encoding,
    importance,
    onNote,
    allowNonFinite = false,
    overwrite = false,
    signal,
    onProgress,
  }: GgufResultOptions,
): Promise<SaveCheckpointResult> {
  const result = await convertCheckpoint(merged, output, {
    dtype: encoding,
    importance,
    onNote,
    allowNonFinite,
    overwrite,
    signal,
    onProgress,
  });
  await rm(merged, { force: true });
  return result;
}
