import { at, MismatchError } from "@isthmus/core";

/**
 * Computes the hypervolume of points: the volume, up to a reference point, of all places that are dominated
 * by at least one point, which is at least as good in every objective. Objectives are minimised. The
 * computation is exact, by slices along the last objective.
 * @param points - values of the objectives; a point that is not below the reference in every objective adds
 *   nothing
 * @param reference - worst values that count
 * @throws MismatchError if a point has more or fewer objectives than the reference
 * @see Zitzler and Thiele, Multiobjective evolutionary algorithms, 1999
 */
export function hypervolume(points: readonly (readonly number[])[], reference: readonly number[]): number {
  const wrong = points.find((point) => point.length !== reference.length);
  if (wrong !== undefined || reference.length === 0) {
    throw new MismatchError(
      `Cannot measure a hypervolume as points must have the objectives of the reference, at least one: it has ${reference.length}, a point ${wrong?.length ?? 0}`,
      { parameters: [] },
    );
  }
  const inside = points.filter((point) => point.every((value, i) => value < at(reference, i, "objective")));
  return volumeOf(inside, reference);
}

function volumeOf(points: readonly (readonly number[])[], reference: readonly number[]): number {
  if (points.length === 0) return 0;
  const last = reference.length - 1;
  const depthOf = (point: readonly number[]): number => at(point, last, "objective");
  if (last === 0) return at(reference, 0, "objective") - Math.min(...points.map(depthOf));
  const sorted = points.toSorted((a, b) => depthOf(a) - depthOf(b));
  return sorted.reduce((volume, point, i) => {
    const next = sorted[i + 1];
    const depth = (next === undefined ? at(reference, last, "objective") : depthOf(next)) - depthOf(point);
    if (depth === 0) return volume;
    const slice = sorted.slice(0, i + 1).map((one) => one.slice(0, last));
    return volume + depth * volumeOf(slice, reference.slice(0, last));
  }, 0);
}

/**
 * Returns the points that no other point dominates. A point dominates another if it is at least as good in
 * every objective, and better in one.
 */
export function paretoFront<T>(points: readonly T[], valuesOf: (point: T) => readonly number[]): T[] {
  return points.filter((point) => {
    const values = valuesOf(point);
    return !points.some((other) => {
      const better = valuesOf(other);
      return (
        better.every((value, i) => value <= at(values, i, "objective")) &&
        better.some((value, i) => value < at(values, i, "objective"))
      );
    });
  });
}
