import type { PlaneResult } from "@isthmus/barrier";
import { at } from "@isthmus/core";
import type { Measure } from "@isthmus/findings";
import type { LandscapeResult } from "../landscape-result.ts";

/** Indices of a slice along every axis but the first two. */
type SlicePlace = readonly number[];

/**
 * Takes the values of a slice along the first two directions.
 * @returns rows of values, `[second][first]`
 */
export function sliceOf(result: LandscapeResult, measure: Measure, rest: SlicePlace): number[][] {
  const [first = [], second = []] = result.axes;
  return second.map((_, y) =>
    first.map((__, x) => at(result[measure], indexOf(result, [x, y, ...rest]), "value")),
  );
}

function indexOf({ axes }: LandscapeResult, place: readonly number[]): number {
  return axes.reduce((index, { length }, axis) => index * length + at(place, axis, "index"), 0);
}

/** Returns the coordinates of the place of an index in row-major order. */
export function coordinatesOf({ axes }: Pick<LandscapeResult, "axes">, place: number): number[] {
  let rest = place;
  return axes
    .toReversed()
    .map((axis) => {
      const coordinate = at(axis, rest % axis.length, "coordinate");
      rest = Math.floor(rest / axis.length);
      return coordinate;
    })
    .reverse();
}

/**
 * Converts a landscape of two directions to a plane, with its networks and the path of a trajectory; returns
 * undefined for other landscapes.
 */
export function planeOf(result: LandscapeResult): PlaneResult | undefined {
  const { axes, networks, statistics, examples, data, engine } = result;
  const [xs, ys] = axes;
  if (xs === undefined || ys === undefined || axes.length !== 2) return undefined;
  const models = networks.map(({ label, source, place, distance, loss, error }) => {
    const [x = Number.NaN, y = Number.NaN] = place;
    return { label, source, x, y, distance, loss, error };
  });
  return {
    kind: "plane",
    xs,
    ys,
    loss: sliceOf(result, "loss", []),
    error: sliceOf(result, "error", []),
    models,
    paths: result.directions === "trajectory" ? [{ label: "training", points: trajectoryOf(models) }] : [],
    statistics,
    examples,
    data,
    engine,
  };
}

/** Places of the snapshots in their order: the network itself, which is listed first, is the last. */
function trajectoryOf(models: PlaneResult["models"]): (readonly [number, number])[] {
  const [end, ...snapshots] = models;
  return [...snapshots, ...(end === undefined ? [] : [end])].map(({ x, y }) => [x, y] as const);
}
