import { at, type Checkpoint, composeCheckpoint, entry, sameShape, type TensorPlace } from "@isthmus/core";
import { mergeByPlan } from "@isthmus/merging";
import { type Combination, planCombination } from "./plan-combination.ts";

/** Tensors of a result that its graph does not read, such as the weights of a tower of images. */
export interface UnreadTensors {
  /** Puts the merged tensors into a result that has them as the first checkpoint does. */
  complete(restored: Checkpoint): Checkpoint;
  /** Words that say what the result has; undefined if the graph reads all tensors. */
  readonly words: string | undefined;
}

/**
 * Merges the tensors that a graph does not read like the others, so that a merge has the same ones with and
 * without a graph: an alignment does not permute their units. Tensors that some checkpoint lacks or has in
 * another shape are taken from the first, as all are if layers have shares of their own.
 * @param checkpoints - at least one
 * @param unread - names of the tensors that the graph does not read, for each checkpoint; empty if there is
 *   no graph
 */
export function mergeUnread(
  checkpoints: readonly Checkpoint[],
  unread: readonly (readonly string[])[],
  combination: Combination,
): UnreadTensors {
  const first = at(checkpoints, 0, "checkpoint");
  const [own, ...others] = unread.map((names) => new Set(names));
  if (own === undefined || own.size === 0) return { complete: (restored) => restored, words: undefined };
  const shapeIn = ({ tensors }: Checkpoint, name: string) => entry(tensors, name, "tensor").shape;
  const isShared = (name: string) =>
    others.every(
      (kept, i) =>
        kept.has(name) &&
        sameShape(shapeIn(first, name), shapeIn(at(checkpoints, i + 1, "checkpoint"), name)),
    );
  const shared = combination.layers === undefined ? [...own].filter(isShared) : [];
  const alone = own.size - shared.length;
  const words = [
    ...(shared.length === 0 ? [] : [`${countTensors(shared.length)} merged like the others`]),
    ...(alone === 0 ? [] : [`${countTensors(alone)} of ${first.source} alone`]),
  ].join(", ");
  if (shared.length === 0) return { complete: (restored) => restored, words };
  const parts = checkpoints.map((checkpoint) =>
    composeCheckpoint(new Map(shared.map((name) => [name, { checkpoint, name }])), checkpoint),
  );
  const merged = mergeByPlan(planCombination(parts, combination));
  return { complete: (restored) => replace(restored, merged), words };
}

/** Replaces tensors of a checkpoint by the tensors that another has under their names. */
function replace(restored: Checkpoint, by: Checkpoint): Checkpoint {
  const places = [...restored.tensors.keys()].map((name): [string, TensorPlace] => [
    name,
    { checkpoint: by.tensors.has(name) ? by : restored, name },
  ]);
  return composeCheckpoint(new Map(places), restored);
}

function countTensors(count: number): string {
  return count === 1 ? "1 tensor" : `${count} tensors`;
}
