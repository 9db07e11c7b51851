import { type Checkpoint, entry, isIsthmusError, readJsonFile, sameShape } from "@isthmus/core";
import { join } from "@isthmus/platform";
import { isHead, isTokenEmbedding } from "./extract/tensor-roles.ts";

/** Embedding and output head that are one matrix in a model, though its file holds both. */
export interface TiedHead {
  /** Name of the embedding of tokens. */
  readonly embedding: string;
  /** Name of the head. */
  readonly head: string;
}

/**
 * Finds a head that a file holds beside the embedding to which config.json ties it. PEFT trains them as one
 * matrix, so that a change of one must change the other.
 * @param path - path of the model, whose config.json counts if it is a folder
 * @returns undefined if config.json does not tie them, or the file holds one of them only
 */
export async function findTiedHead(network: Checkpoint, path: string): Promise<TiedHead | undefined> {
  const ofTokens = [...network.tensors.keys()].filter(
    (name) => name.endsWith(".weight") && isTokenEmbedding(name.slice(0, -".weight".length)),
  );
  const [embedding] = ofTokens;
  if (embedding === undefined || ofTokens.length > 1) return undefined;
  const { shape, dtype } = entry(network.tensors, embedding, "tensor");
  const heads = [...network.tensors].filter(
    ([name, info]) =>
      name.endsWith(".weight") && isHead(name) && info.dtype === dtype && sameShape(info.shape, shape),
  );
  const [head] = heads;
  if (head === undefined || heads.length > 1 || !(await isTied(path))) return undefined;
  return { embedding, head: head[0] };
}

async function isTied(folder: string): Promise<boolean> {
  try {
    const config = await readJsonFile(join(folder, "config.json"), { within: folder });
    return statesTie(config) || (isRecord(config) && statesTie(config["text_config"]));
  } catch (error) {
    if (isIsthmusError(error, "InputError")) return false;
    throw error;
  }
}

function statesTie(settings: unknown): boolean {
  return isRecord(settings) && settings["tie_word_embeddings"] === true;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
