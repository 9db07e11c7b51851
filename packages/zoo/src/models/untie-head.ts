import { type Checkpoint, composeCheckpoint, MismatchError, type TensorPlace } from "@isthmus/core";
import type { Model } from "./open-model.ts";

/**
 * Gives a model whose head is its embedding a separate head, a lazy copy of the embedding. The model computes
 * the same, but embedding and head may then differ, so that the residual stream can be rotated.
 *
 * @throws MismatchError if the head is already separate, or is scaled because it is the embedding, as in T5
 */
export function untieHead({
  checkpoint,
  network,
  configPath,
}: Pick<Model, "checkpoint" | "network" | "configPath">): Checkpoint {
  const { tiedHead, modelType } = network;
  if (tiedHead === undefined) {
    throw new MismatchError(
      `Cannot untie the head of "${configPath}" as its embedding must be its head: this network of type "${modelType}" has a separate head, none, or one that is scaled`,
      { parameters: [] },
    );
  }
  const { embedding, head } = tiedHead;
  const places = [...checkpoint.tensors.keys()].map((name): [string, TensorPlace] => [
    name,
    { checkpoint, name },
  ]);
  return composeCheckpoint(new Map([...places, [head, { checkpoint, name: embedding }]]), {
    source: `${checkpoint.source} (untied)`,
    metadata: checkpoint.metadata,
  });
}
