import {
  at,
  type Checkpoint,
  DTYPES,
  defineCheckpoint,
  entry,
  fromFloat32Into,
  OutOfRangeError,
  toFloat64,
} from "@isthmus/core";
import { mixInPlace } from "../mixing/mix-units.ts";
import { occurrencesOf } from "../mixing/occurrences.ts";
import { assertFits } from "../permute.ts";
import type { SymmetrySpec } from "../spec.ts";
import type { RotationSpace, UnitField, UnitLayout } from "./linear-symmetries.ts";
import { positionIn } from "./multiply-units.ts";

/** A rotation of a space, with the matrix that mixes its units. */
export interface Rotation {
  /** Cell of units that the matrix mixes. */
  readonly space: RotationSpace;
  /**
   * Orthogonal matrix, `[size, size]` row-major: unit `i` of the result is the sum over `j` of
   * `matrix[i * size + j]` times unit `j`.
   */
  readonly matrix: Float64Array;
}

/**
 * Mixes the units of cells by orthogonal matrices: the result computes the same function. Lazy: when any part
 * of a tensor is read, it is read whole and mixed.
 *
 * @param spec - the permutation symmetries that the spaces are cells of
 * @throws OutOfRangeError if a matrix has the wrong size or is not orthogonal
 * @throws MismatchError if the checkpoint does not fit the specification
 */
export function rotateUnits(
  checkpoint: Checkpoint,
  spec: SymmetrySpec,
  rotations: readonly Rotation[],
): Checkpoint {
  for (const rotation of rotations) assertOrthogonal(rotation);
  assertFits(checkpoint, spec);
  const rotated = new Set(
    rotations.flatMap(({ space: { firstUnit, size } }) =>
      Array.from({ length: size }, (_, index) => firstUnit + index),
    ),
  );
  return defineCheckpoint({
    source: `${checkpoint.source} (rotated)`,
    tensors: checkpoint.tensors,
    metadata: checkpoint.metadata,
    inputs: [checkpoint],
    async readInto(name, begin, out) {
      const layout = spec.weights.get(name);
      const dtype = checkpoint.tensors.get(name)?.dtype ?? "f32";
      if (
        layout === undefined ||
        !layout.fields.some(({ units }) => units.some((unit) => rotated.has(unit))) ||
        !DTYPES[dtype].float
      ) {
        await checkpoint.readRangeInto(name, begin, out);
        return;
      }
      const whole = await checkpoint.read(name);
      const values = toFloat64(whole.data, dtype);
      rotateInPlace(values, layout, rotations);
      fromFloat32Into(Float32Array.from(values.subarray(begin, begin + out.length)), dtype, out);
    },
  });
}

/** Tolerance of the difference between a matrix times its transpose and the identity. */
const ORTHOGONAL = 1e-6;

function assertOrthogonal({ space, matrix }: Rotation): void {
  const { size, symmetry, cell } = space;
  let worst = matrix.length === size * size ? 0 : Number.POSITIVE_INFINITY;
  for (let i = 0; i < size && worst < ORTHOGONAL; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = i === j ? -1 : 0;
      for (let k = 0; k < size; k++)
        sum += (matrix[i * size + k] as number) * (matrix[j * size + k] as number);
      if (!(Math.abs(sum) <= worst)) worst = Math.abs(sum);
    }
  }
  if (worst < ORTHOGONAL) return;
  throw new OutOfRangeError(
    `Cannot rotate cell ${cell} of "${symmetry}" as its matrix must be orthogonal, ${size} x ${size}: it has ${matrix.length} elements and is off by ${worst}`,
  );
}

/**
 * The places of the units of one rotation on a field: each row of places holds all units of the cell once.
 */
export interface RotatedPlaces {
  /** Field of the tensor on which the places lie. */
  readonly field: UnitField;
  /** Rotation that is applied to each row of places. */
  readonly rotation: Rotation;
  /** Positions over the field's axes, `[occurrences][size]`. */
  readonly rows: readonly Int32Array[];
}

/** Finds the places of all rotations in a tensor. */
export function placesOf({ fields }: UnitLayout, rotations: readonly Rotation[]): RotatedPlaces[] {
  return fields.flatMap((field) =>
    rotations.flatMap((rotation): RotatedPlaces[] => {
      const { firstUnit, size } = rotation.space;
      const places: number[][] = Array.from({ length: size }, () => []);
      field.units.forEach((unit, position) => {
        places[unit - firstUnit]?.push(position);
      });
      const count = at(places, 0, "unit").length;
      const rows = Array.from({ length: count }, (_, k) =>
        Int32Array.from(places, (list) => at(list, k, "place")),
      );
      return count === 0 ? [] : [{ field, rotation, rows }];
    }),
  );
}

/** Mixes the units that lie in a tensor. */
export function rotateInPlace(
  values: Float32Array | Float64Array,
  layout: UnitLayout,
  rotations: readonly Rotation[],
): void {
  const matrices = rotations.map(({ matrix }) => matrix);
  const spaces = rotations.map(({ space }) => space);
  // An orthogonal matrix is its own inverse, transposed.
  mixInPlace(values, occurrencesOf(layout, spaces), { matrices, inverses: matrices });
}

/**
 * Creates a function that lists the elements of a tensor by their position over some axes, and lists them
 * once for each set of axes.
 */
export function elementFinder(
  count: number,
  shape: readonly number[],
): (axes: readonly number[]) => ReadonlyMap<number, Int32Array> {
  const byAxes = new Map<string, ReadonlyMap<number, Int32Array>>();
  return (axes) => {
    const key = axes.join();
    const elements = byAxes.get(key) ?? elementsByPosition(count, shape, axes);
    byAxes.set(key, elements);
    return elements;
  };
}

/** Lists the elements of a tensor by their position over some axes, in row-major order of the others. */
function elementsByPosition(
  count: number,
  shape: readonly number[],
  axes: readonly number[],
): ReadonlyMap<number, Int32Array> {
  const positionOf = positionIn(shape, axes);
  const positions = axes.reduce((product, axis) => product * at(shape, axis, "axis"), 1);
  const perPosition = count / positions;
  const lists = new Map<number, Int32Array>();
  for (let position = 0; position < positions; position++) lists.set(position, new Int32Array(perPosition));
  const filled = new Int32Array(positions);
  for (let element = 0; element < count; element++) {
    const position = positionOf(element);
    const index = filled[position] as number;
    entry(lists, position, "position")[index] = element;
    filled[position] = index + 1;
  }
  return lists;
}
