import { sizeOf } from "@isthmus/core";
/**
 * Position of the examples of a batch in a value: along one axis, whose elements are
 * `[outer, batch, inner]`, row-major.
 *
 * `outer` and `inner` are 1 if the axis is only the batch; attention merges heads into it,
 * `[batch * heads, ...]`, with `inner = heads`.
 */
export interface BatchPlace {
  /** Axis of the value that holds the batch, from 0. */
  readonly axis: number;
  /** Number of blocks along that axis, each of which holds the whole batch. */
  readonly outer: number;
  /** Number of adjacent elements along that axis that belong to one example. */
  readonly inner: number;
}

/**
 * Choice of the axis that holds a batch of 1 after a reshape, if shapes alone do not decide: `changed` is the
 * axis that changes, else the leftmost candidate, but not the last axis, which layers sum over; `left` and
 * `right` are the leftmost and the rightmost candidate.
 */
export type MergeChoice = "changed" | "left" | "right";

/** All choices, the most likely first. */
export const MERGE_CHOICES: readonly MergeChoice[] = ["changed", "left", "right"];

/** Shapes of a value before and after a reshape, both for the exported batch. */
export interface Reshaped {
  /** Shape of the value before the reshape. */
  readonly from: readonly number[];
  /** Shape of the value after the reshape. */
  readonly to: readonly number[];
  /** Examples in the batch. */
  readonly batch: number;
}

/** Checks whether an axis is only the batch. */
export function isBatchAlone({ outer, inner }: BatchPlace): boolean {
  return outer === 1 && inner === 1;
}

/** Checks whether two places are the same. */
export function isSamePlace(one: BatchPlace, other: BatchPlace): boolean {
  return one.axis === other.axis && one.outer === other.outer && one.inner === other.inner;
}

/**
 * Finds the axis of the batch after a reshape of row-major elements, which does not change the stride of the
 * examples.
 *
 * For two or more examples there is at most one such axis. A batch of one example leaves no trace in a shape,
 * so that several axes are possible. An axis of extent 1 at the correct stride is taken first; of several
 * such axes, the one that has as many of them to its left as the batch had.
 *
 * @returns undefined if the examples are spread over several axes
 */
export function placeAfterReshape(
  place: BatchPlace,
  reshaped: Reshaped,
  choice: MergeChoice,
): BatchPlace | undefined {
  const { from, to, batch } = reshaped;
  const before = sizeOf(from.slice(0, place.axis)) * place.outer;
  const after = place.inner * sizeOf(from.slice(place.axis + 1));
  const candidates = placesAt({ before, after }, to, batch);
  if (candidates.length < 2) return candidates[0];
  const alone = candidates.filter(isBatchAlone);
  if (alone.length > 0) {
    const aloneBefore = placesAt({ before, after }, from, batch).filter(isBatchAlone);
    const index = aloneBefore.findIndex(({ axis }) => axis === place.axis);
    return alone[Math.min(Math.max(index, 0), alone.length - 1)];
  }
  return chooseMerged(candidates, place, { reshaped, choice });
}

/**
 * Lists all axes of a shape that can hold a batch with `before` elements before it
 * and `after` elements behind it.
 */
function placesAt(
  { before, after }: { readonly before: number; readonly after: number },
  shape: readonly number[],
  batch: number,
): BatchPlace[] {
  return shape.flatMap((extent, axis) => {
    const outer = before / sizeOf(shape.slice(0, axis));
    const inner = after / sizeOf(shape.slice(axis + 1));
    const fits = Number.isInteger(outer) && Number.isInteger(inner) && outer * batch * inner === extent;
    return fits ? [{ axis, outer, inner }] : [];
  });
}

/** Decides which of several axes holds a batch of 1. */
function chooseMerged(
  candidates: readonly BatchPlace[],
  place: BatchPlace,
  { reshaped: { from, to }, choice }: { readonly reshaped: Reshaped; readonly choice: MergeChoice },
): BatchPlace | undefined {
  if (choice === "left") return candidates[0];
  if (choice === "right") return candidates.at(-1);
  // Axis of the former shape with the same extent and with as many elements before it.
  const formerAxis = (axis: number) =>
    from.findIndex(
      (extent, other) => extent === to[axis] && sizeOf(from.slice(0, other)) === sizeOf(to.slice(0, axis)),
    );
  const others = candidates.filter(({ axis }) => axis < to.length - 1);
  return (
    candidates.find(({ axis }) => formerAxis(axis) === place.axis) ??
    others.find(({ axis }) => formerAxis(axis) < 0) ??
    candidates[0]
  );
}
