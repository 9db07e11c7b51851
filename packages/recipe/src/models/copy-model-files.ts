import type { DType } from "@isthmus/core";
import { basename, dirname, join, stat } from "@isthmus/platform";
import { findModelConfig } from "@isthmus/zoo";
import type { CardNetwork } from "./model-card.ts";
import { removeStaleCard } from "./stale-card.ts";
import { type WriteModelFilesOptions, writeModelFiles } from "./write-model-files.ts";

/** Options of {@link copyModelFiles}: properties of the written weights, for the config. */
export interface CopyModelFilesOptions {
  /** Element type of the written weights. @defaultValue the type in the model's config */
  readonly dtype?: DType | undefined;
  /** Whether the output head is the embedding. @defaultValue the setting in the model's config */
  readonly tied?: boolean | undefined;
  /** Returns the config of the result from that of the model. @defaultValue the config of the model */
  readonly reshapeConfig?: WriteModelFilesOptions["reshapeConfig"];
  /**
   * Contents of a model card: the networks that the model was made of, the method, and sentences about it.
   * @defaultValue no card is written
   */
  readonly card?: {
    readonly networks: readonly CardNetwork[];
    readonly method: string;
    readonly notes: readonly string[];
  };
  /** Called with each note for the user, such as a file that is left out. @defaultValue notes are dropped */
  readonly onNote?: ((note: string) => void) | undefined;
}

/**
 * Copies the files with which a model is loaded, other than its weights, into the folder with weights that
 * were made from the model, so that this folder is a model, too, and removes the card and the recipe of an
 * earlier merge from there. Copies nothing if the model has no config, and does nothing if the output is a
 * file.
 * @returns the paths of the files written
 */
export async function copyModelFiles(
  model: string,
  output: string,
  { dtype, tied, card, reshapeConfig, onNote }: CopyModelFilesOptions = {},
): Promise<string[]> {
  const config = await findModelConfig(model);
  const isFolder = (await stat(output).catch(() => undefined))?.isDirectory() ?? false;
  if (!isFolder) return [];
  const stale = await removeStaleCard(output);
  if (stale !== undefined) onNote?.(stale);
  if (config === undefined) return [];
  const directory = dirname(config);
  const networks = (card?.networks ?? [{ name: basename(directory) }]).map((network) => {
    return { ...network, directory };
  });
  const written = {
    ...card,
    base: directory,
    networks,
    dtype,
    tied,
    reshapeConfig,
    card: card !== undefined,
  };
  const { files, notes } = await writeModelFiles(output, written);
  for (const note of notes) onNote?.(note);
  return files.map((file) => join(output, file));
}
