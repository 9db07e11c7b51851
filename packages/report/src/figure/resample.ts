import { at } from "@isthmus/core";
import { endsOf } from "@isthmus/findings";
/**
 * Interpolates values at even steps between the ends of a grid, row by row: linearly between its coordinates.
 * Values on an even grid do not change.
 *
 * @param values - `[ys][xs]`
 */
export function resample(
  xs: readonly number[],
  ys: readonly number[],
  values: readonly (readonly number[])[],
): number[] {
  const columns = evenPlaces(xs);
  return evenPlaces(ys).flatMap(({ index, share }) => {
    const [low, high] = [at(values, index, "row"), at(values, index + 1, "row")];
    return columns.map((column) => {
      const valueIn = (row: readonly number[]): number => {
        const from = at(row, column.index, "column");
        return from + column.share * (at(row, column.index + 1, "column") - from);
      };
      return valueIn(low) + share * (valueIn(high) - valueIn(low));
    });
  });
}

/**
 * Divides the range of the coordinates into as many even steps, and finds for each step the coordinate before
 * it and the share of the distance to the next coordinate.
 */
function evenPlaces(coordinates: readonly number[]): { readonly index: number; readonly share: number }[] {
  const [low, high] = endsOf(coordinates);
  const last = coordinates.length - 1;
  return coordinates.map((_, step) => {
    const place = low + ((high - low) * step) / last;
    const after = coordinates.findIndex((coordinate) => coordinate > place);
    const index = after === -1 ? last - 1 : after - 1;
    const [from, to] = [at(coordinates, index, "coordinate"), at(coordinates, index + 1, "coordinate")];
    return { index, share: (place - from) / (to - from) };
  });
}
