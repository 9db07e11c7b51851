import { type Checkpoint, describeMaking, type SaveCheckpointResult, saveCheckpoint } from "@isthmus/core";
import type { Context } from "../verb.ts";

/** Origin of a network, which is written into its metadata. */
export interface MadeBy {
  /** Name of the command that makes the network. */
  readonly verb: string;
  /** Networks that it was made from. */
  readonly from: readonly Checkpoint[];
  /** Further settings that it depends on, such as options and names of examples. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** Writes a network that a command has made, with its origin in its metadata. */
export function saveMade(
  weights: Checkpoint,
  output: string,
  { verb, from, options }: MadeBy,
  { maker, signal }: Pick<Context, "maker" | "signal">,
): Promise<SaveCheckpointResult> {
  const metadata = describeMaking(from, { verb, ...maker, ...options });
  return saveCheckpoint(weights, output, { metadata, overwrite: true, signal });
}
