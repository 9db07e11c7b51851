import { at, axisOffsets, stridesOf } from "@isthmus/core";
import type { RotationSpace, UnitLayout } from "../linear/linear-symmetries.ts";
import type { MixedLayout } from "./mixing-symmetries.ts";

/** All units of one space in a tensor, each once: the rows of a matrix `[size, others]` inside the tensor. */
export interface Occurrence {
  /** Index of the space. */
  readonly space: number;
  /** Whether the inverse of the space's matrix, transposed, mixes the rows. */
  readonly isInverse: boolean;
  /** Index of the first element of each row, `[size]`. */
  readonly bases: Int32Array;
  /** Distance of each element of a row from its first, `[others]`. */
  readonly offsets: Int32Array;
}

/**
 * Lists the occurrences of spaces in a tensor whose view is row-major. Units of a layout that does not tell
 * which are mixed by the inverse are mixed by the matrix.
 */
export function occurrencesOf(
  { view, fields }: UnitLayout | MixedLayout,
  spaces: readonly RotationSpace[],
): Occurrence[] {
  const strides = stridesOf(view);
  return fields.flatMap((field) => {
    const { axes, units } = field;
    const inverse = "inverse" in field ? field.inverse : new Uint8Array(units.length);
    const positions = axisOffsets(view, strides, axes);
    const others = view.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
    const offsets = axisOffsets(view, strides, others);
    return rowsOf({ units, inverse }, spaces).map(
      ({ space, isInverse, row }): Occurrence => ({
        space,
        isInverse,
        offsets,
        bases: row.map((position) => positions[position] as number),
      }),
    );
  });
}

interface Row {
  readonly space: number;
  readonly isInverse: boolean;
  /** Position of each unit. */
  readonly row: Int32Array;
}

/** Groups positions into rows that hold each unit of a space once. */
function rowsOf(
  { units, inverse }: { readonly units: Int32Array; readonly inverse: Uint8Array },
  spaces: readonly RotationSpace[],
): Row[] {
  const [lowest, highest] = rangeOf(units);
  return spaces.flatMap(({ firstUnit, size }, space) => {
    if (firstUnit > highest || firstUnit + size <= lowest) return [];
    // Rows in front of products, and behind them, with the number of times that each unit was seen so far.
    const sides = [false, true].map((isInverse) => ({
      isInverse,
      rows: [] as Row[],
      seen: new Int32Array(size),
    }));
    for (let position = 0; position < units.length; position++) {
      const unit = (units[position] as number) - firstUnit;
      if (unit < 0 || unit >= size) continue;
      const { isInverse, rows, seen } = at(sides, inverse[position] as number, "side");
      const time = seen[unit] as number;
      seen[unit] = time + 1;
      const row = rows[time] ?? { space, isInverse, row: new Int32Array(size) };
      if (time === rows.length) rows.push(row);
      row.row[unit] = position;
    }
    return sides.flatMap(({ rows }) => rows);
  });
}

/** Returns the smallest and the largest unit of a field; positions without a unit hold -1. */
function rangeOf(units: Int32Array): [lowest: number, highest: number] {
  let [lowest, highest] = [Number.POSITIVE_INFINITY, -1];
  for (const unit of units) {
    if (unit >= 0 && unit < lowest) lowest = unit;
    if (unit > highest) highest = unit;
  }
  return [lowest, highest];
}

/** Copies the rows of an occurrence out of a tensor, `[size, others]`. */
export function gatherRowsInto<T extends Float32Array | Float64Array>(
  values: ArrayLike<number>,
  { bases, offsets }: Occurrence,
  out: T,
): T {
  let index = 0;
  for (const base of bases) for (const offset of offsets) out[index++] = values[base + offset] as number;
  return out;
}

/** Copies rows, `[size, others]`, back to their places in a tensor. */
export function scatterRowsInto(
  rows: ArrayLike<number>,
  { bases, offsets }: Occurrence,
  out: Float32Array | Float64Array,
): void {
  let index = 0;
  for (const base of bases) for (const offset of offsets) out[base + offset] = rows[index++] as number;
}
