import { at, OutOfRangeError } from "@isthmus/core";

/**
 * Kinds of neighbourhoods of places in a grid: places are neighbours if their cells share a face, or any
 * corner.
 */
export const GRID_NEIGHBORS = ["faces", "corners"] as const;

/** Kind of neighbourhoods of places in a grid. */
export type GridNeighbors = (typeof GRID_NEIGHBORS)[number];

/**
 * Returns a function that lists the neighbours of a place of a grid, ascending; places are counted in
 * row-major order.
 * @throws OutOfRangeError if the choice is unknown
 */
export function createNeighbors(
  attempt: string,
  shape: readonly number[],
  neighbors: GridNeighbors,
): (place: number) => number[] {
  if (!GRID_NEIGHBORS.includes(neighbors)) {
    throw new OutOfRangeError(
      `Cannot ${attempt} as "neighbors" must be one of ${GRID_NEIGHBORS.join(", ")}: it is ${neighbors}`,
    );
  }
  const steps = shape.reduce<number[][]>(
    (all) => all.flatMap((step) => [-1, 0, 1].map((way) => [...step, way])),
    [[]],
  );
  const taken = steps.filter((step) => {
    const axes = step.filter((way) => way !== 0).length;
    return neighbors === "faces" ? axes === 1 : axes > 0;
  });
  return (place) => {
    const coordinates = placeOf(place, shape);
    return taken.flatMap((step) => {
      let index = 0;
      for (const [axis, extent] of shape.entries()) {
        const coordinate = at(coordinates, axis, "coordinate") + at(step, axis, "step");
        if (coordinate < 0 || coordinate >= extent) return [];
        index = index * extent + coordinate;
      }
      return [index];
    });
  };
}

/** Returns whether a place is the first or the last along an axis of more than one place. */
export function isOnEdge(place: number, shape: readonly number[]): boolean {
  return placeOf(place, shape).some((coordinate, axis) => {
    const extent = at(shape, axis, "extent");
    return extent > 1 && (coordinate === 0 || coordinate === extent - 1);
  });
}

/** Returns the indices along every axis of a place that is counted in row-major order. */
export function placeOf(place: number, shape: readonly number[]): number[] {
  let rest = place;
  return shape
    .toReversed()
    .map((extent) => {
      const index = rest % extent;
      rest = Math.floor(rest / extent);
      return index;
    })
    .reverse();
}
