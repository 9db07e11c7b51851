import type { Matrix } from "@isthmus/linear-algebra";

/**
 * Lists for each row the other rows with the largest cosines; among equal ones, the first rows come first.
 */
export function nearestRows({ rows: n, data }: Matrix, count: number): Int32Array[] {
  const size = Math.min(count, n - 1);
  return Array.from({ length: n }, (_, row) => {
    const cosines = data.subarray(row * n, (row + 1) * n);
    const nearest: number[] = [];
    for (let i = 0; i < n; i++) if (i !== row) insert(nearest, i, { cosines, size });
    return Int32Array.from(nearest).sort();
  });
}

/** Inserts a row behind the nearer rows, and removes the last row if there are too many. */
function insert(
  nearest: number[],
  row: number,
  { cosines, size }: { readonly cosines: ArrayLike<number>; readonly size: number },
): void {
  const cosine = cosines[row] as number;
  const isNearer = (other: number | undefined) => other !== undefined && cosine > (cosines[other] as number);
  if (nearest.length === size && !isNearer(nearest.at(-1))) return;
  let place = nearest.length;
  while (isNearer(nearest[place - 1])) place--;
  nearest.splice(place, 0, row);
  if (nearest.length > size) nearest.pop();
}

/**
 * Returns the rank of one element by its value, from 1 for the largest; equal values do not raise the rank.
 */
export function rankOfEqual(values: ArrayLike<number>, place: number): number {
  const value = values[place] as number;
  let rank = 1;
  for (let i = 0; i < values.length; i++) if ((values[i] as number) > value) rank++;
  return rank;
}
