import {
  type Checkpoint,
  composeCheckpoint,
  entry,
  sameShape,
  sizeOf,
  type TensorInfo,
  type TensorPlace,
  viewBytes,
} from "@isthmus/core";
import { compareBytes } from "@isthmus/platform";
import { type ModelConfig, tiedByConfig } from "./model-config.ts";
import type { VocabularyAxes } from "./vocabulary-axes.ts";

/** Result of comparing the output head of a network with its embedding. */
export interface TiedWeights {
  /** Name of the embedding; undefined if the file has no such tensor. */
  readonly embedding: string | undefined;
  /** Name of the output head; undefined if the file has no such tensor. */
  readonly head: string | undefined;
  /**
   * `absent`: there is no head, so the embedding is used; `equal`: both exist and are equal; `unequal`: both
   * exist and differ although the config ties them; `apart`: the config does not tie them, or there is no
   * embedding.
   */
  readonly state: "absent" | "equal" | "unequal" | "apart";
  /** Note for the user, in one line; undefined if nothing is unusual. */
  readonly note: string | undefined;
}

const HEAD = /(^|\.)(lm_head|embed_out|predictions\.decoder|output)\.weight$/;
const EMBEDDING =
  /(^|\.)(embed_tokens|wte|word_embeddings|tok_embeddings|embed_in|shared|(model|backbone)\.embeddings?)\.weight$/;

/** Finds out whether the output head of a network is its embedding. Both are read if the config ties them. */
export async function examineTiedWeights(
  checkpoint: Checkpoint,
  axes: VocabularyAxes,
  config: ModelConfig = {},
): Promise<TiedWeights> {
  const embedding = [...axes.keys()].find((name) => EMBEDDING.test(name));
  const head = [...axes.keys()].find((name) => HEAD.test(name) && checkpoint.tensors.has(name));
  const result = { embedding, head };
  if (embedding === undefined) return { ...result, state: "apart", note: undefined };
  const tied = tiedByConfig(config);
  if (head === undefined) {
    const note =
      tied === false
        ? `"${checkpoint.source}" has no output head though its config.json says tie_word_embeddings: false`
        : undefined;
    return { ...result, state: "absent", note };
  }
  if (tied !== true) return { ...result, state: "apart", note: undefined };
  if (await areEqual(checkpoint, embedding, head)) return { ...result, state: "equal", note: undefined };
  return {
    ...result,
    state: "unequal",
    note: `"${head}" of "${checkpoint.source}" differs from "${embedding}" though its config.json ties them: transformers uses the embedding for both; set tie_word_embeddings: false to use the head, or delete it`,
  };
}

/**
 * Adds an output head, equal to the embedding, to a view of a network that has no head. It can then be merged
 * with networks that have one; the config of the result must say `tie_word_embeddings: false`.
 */
export function untieWeights(checkpoint: Checkpoint, embedding: string, head: string): Checkpoint {
  const places = new Map<string, TensorPlace>();
  for (const name of checkpoint.tensors.keys()) places.set(name, { checkpoint, name });
  places.set(head, { checkpoint, name: embedding });
  return composeCheckpoint(places, { source: checkpoint.source, metadata: checkpoint.metadata });
}

const CHUNK = 2 ** 20;

async function areEqual(checkpoint: Checkpoint, a: string, b: string): Promise<boolean> {
  const [infoA, infoB] = [a, b].map((name) => entry(checkpoint.tensors, name, "tensor")) as [
    TensorInfo,
    TensorInfo,
  ];
  if (infoA.dtype !== infoB.dtype || !sameShape(infoA.shape, infoB.shape)) return false;
  const size = sizeOf(infoA.shape);
  for (let begin = 0; begin < size; begin += CHUNK) {
    const end = Math.min(size, begin + CHUNK);
    const first = await checkpoint.readRange(a, begin, end);
    const second = await checkpoint.readRange(b, begin, end);
    if (compareBytes(viewBytes(first), viewBytes(second)) !== 0) return false;
  }
  return true;
}
