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
  const spaceOfUnit = new Map<number, number>();
  spaces.forEach(({ firstUnit, size }, index) => {
    for (let unit = firstUnit; unit < firstUnit + size; unit++) spaceOfUnit.set(unit, index);
  });
  const strides = stridesOf(view);
  return fields.flatMap((field) => {
    const { axes, units } = field;
    const inverse = "inverse" in field ? field.inverse : new Uint8Array(units.length);
    const positions = axisOffsets(view, strides, axes);
    const others = view.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
    const offsets = axisOffsets(view, strides, others);
    return rowsOf({ units, inverse }, spaces, spaceOfUnit).map(
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
  spaceOfUnit: ReadonlyMap<number, number>,
): Row[] {
  const lists = new Map<string, number[][]>();
  units.forEach((unit, position) => {
    const index = spaceOfUnit.get(unit);
    if (index === undefined) return;
    const { firstUnit, size } = at(spaces, index, "space");
    const key = `${index} ${inverse[position]}`;
    const ofSpace = lists.get(key) ?? Array.from({ length: size }, () => []);
    lists.set(key, ofSpace);
    at(ofSpace, unit - firstUnit, "unit").push(position);
  });
  return [...lists].flatMap(([key, ofSpace]) => {
    const [space, flag] = key.split(" ").map(Number);
    return at(ofSpace, 0, "unit").map(
      (_, k): Row => ({
        space: space as number,
        isInverse: flag === 1,
        row: Int32Array.from(ofSpace, (positions) => at(positions, k, "position")),
      }),
    );
  });
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
