import {
  at,
  type Checkpoint,
  DTYPES,
  defineCheckpoint,
  entry,
  fromFloat32Into,
  OutOfRangeError,
  sizeOf,
  toFloat64,
} from "@isthmus/core";
import { type MixingMatrix, type Mixture, mixInPlace } from "../mixing/mix-units.ts";
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
  const spaces = rotations.map(({ space }) => space);
  return mixCells(checkpoint, spec, spaces, rotationMixture(rotations));
}

/**
 * Mixes the units of cells by matrices of any form. Lazy, like {@link rotateUnits}.
 *
 * @param spaces - the cells that the matrices of the mixture mix, in their order
 * @throws MismatchError if the checkpoint does not fit the specification
 */
export function mixCells(
  checkpoint: Checkpoint,
  spec: SymmetrySpec,
  spaces: readonly RotationSpace[],
  mixture: Mixture<MixingMatrix>,
): Checkpoint {
  assertFits(checkpoint, spec);
  const mixed = new Set(
    spaces.flatMap(({ firstUnit, size }) => Array.from({ length: size }, (_, index) => firstUnit + index)),
  );
  // Sums over all units of a cell are computed in f64.
  const isDense = mixture.matrices.some((matrix) => matrix instanceof Float64Array);
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
        !layout.fields.some(({ units }) => units.some((unit) => mixed.has(unit))) ||
        !DTYPES[dtype].float
      ) {
        await checkpoint.readRangeInto(name, begin, out);
        return;
      }
      const occurrences = occurrencesOf(layout, spaces);
      const size = sizeOf(layout.shape);
      if (!isDense && out instanceof Float32Array && out.length === size) {
        await checkpoint.readRangeInto(name, begin, out);
        mixInPlace(out, occurrences, mixture);
        return;
      }
      const whole = await checkpoint.read(name);
      const values = toFloat64(whole.data, dtype);
      mixInPlace(values, occurrences, mixture);
      fromFloat32Into(Float32Array.from(values.subarray(begin, begin + out.length)), dtype, out);
    },
  });
}

/** Returns the mixture that rotates cells: an orthogonal matrix is its own inverse, transposed. */
function rotationMixture(rotations: readonly Rotation[]): Mixture {
  const matrices = rotations.map(({ matrix }) => matrix);
  return { matrices, inverses: matrices };
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
