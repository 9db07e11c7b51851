/** Finds the first and the last of ascending coordinates. */
export function endsOf(coordinates: readonly number[]): [number, number] {
  return [coordinates[0] ?? 0, coordinates.at(-1) ?? 1];
}

/**
 * Gives values at even steps between the ends of a grid, row by row: linear between its coordinates, and the same where these are
 * even.
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
    const [low = [], high = low] = [values[index], values[index + 1]];
    return columns.map((column) => {
      const at = (row: readonly number[]): number => {
        const from = row[column.index] ?? 0;
        return from + column.share * ((row[column.index + 1] ?? from) - from);
      };
      return at(low) + share * (at(high) - at(low));
    });
  });
}

/** For each of as many even steps: the coordinate before it, and the share of the way to the next. */
function evenPlaces(coordinates: readonly number[]): { readonly index: number; readonly share: number }[] {
  const [low, high] = endsOf(coordinates);
  const last = coordinates.length - 1;
  return coordinates.map((_, step) => {
    const place = low + ((high - low) * step) / last;
    const after = coordinates.findIndex((coordinate) => coordinate > place);
    const index = after === -1 ? last - 1 : after - 1;
    const [from = 0, to = 1] = [coordinates[index], coordinates[index + 1]];
    return { index, share: (place - from) / (to - from) };
  });
}
