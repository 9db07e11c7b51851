import { at, type Checkpoint, entry, toFloat32 } from "@isthmus/core";
import {
  elementFinder,
  placesOf,
  type Rotation,
  type RotationSpace,
  type SymmetrySpec,
} from "@isthmus/symmetry";

/**
 * Finds the rotation of each cell of network B that brings it closest to network A, by orthogonal Procrustes:
 * of the products `C = sum A_i B_j = U S V^T` it is `U V^T`.
 *
 * @see Schönemann, "A generalized solution of the orthogonal Procrustes problem" (1966)
 * @returns a rotation of B's units for each space
 */
export async function alignRotations(
  networks: readonly [Checkpoint, Checkpoint],
  spec: SymmetrySpec,
  spaces: readonly RotationSpace[],
): Promise<Rotation[]> {
  const { nearestRotation } = await import("./dense-matrices.ts");
  const products = await rotationProducts(networks, spec, spaces);
  return spaces.map(
    (space, i): Rotation => ({ space, matrix: nearestRotation(at(products, i, "space"), space.size) }),
  );
}

/**
 * Finds the rotation of each cell that makes its units orthogonal to each other, the longest first, with sums
 * of elements that are not negative: the result does not depend on the rotation before, but for units of
 * equal length.
 */
export async function diagonalizeRotations(
  network: Checkpoint,
  spec: SymmetrySpec,
  spaces: readonly RotationSpace[],
): Promise<Rotation[]> {
  const { decompose, inner } = await import("./dense-matrices.ts");
  const products = await rotationProducts([network, network], spec, spaces);
  const sums = await unitSums(network, spec, spaces);
  return spaces.map((space, i): Rotation => {
    const { size } = space;
    const { vectors } = decompose(at(products, i, "space"), size);
    for (let start = 0; start < vectors.length; start += size) {
      const vector = vectors.subarray(start, start + size);
      if (inner(vector, at(sums, i, "space")) < 0) vector.set(vector.map((value) => -value));
    }
    return { space, matrix: vectors };
  });
}

/** Filter of places: whether the units of a cell that lie in one place of a weight count. */
export type UsePlace = (place: {
  /** Name of the weight in which the units lie. */
  readonly tensor: string;
  /** Axes of the weight's view over which the units lie. */
  readonly axes: readonly number[];
  /** Positions of all units over the axes. */
  readonly row: Int32Array;
}) => boolean;

/**
 * Computes the products of the units of two networks in each cell, over all weights that they lie in:
 * `[size, size]` for each space, `products[i * size + j]` of unit `i` of A and unit `j` of B.
 *
 * @param uses - filter of the places that count; all if left out
 */
export async function rotationProducts(
  [a, b]: readonly [Checkpoint, Checkpoint],
  spec: SymmetrySpec,
  spaces: readonly RotationSpace[],
  uses: UsePlace = () => true,
): Promise<Float64Array[]> {
  const rotations = spaces.map((space): Rotation => ({ space, matrix: new Float64Array(space.size ** 2) }));
  for (const [name, layout] of spec.weights) {
    const fields = placesOf(layout, rotations);
    if (fields.length === 0) continue;
    const [left, right] = await Promise.all([readValues(a, name), readValues(b, name)]);
    const elementsOf = elementFinder(left.length, layout.view);
    for (const { field, rotation, rows } of fields) {
      const elements = elementsOf(field.axes);
      for (const row of rows) {
        if (!uses({ tensor: name, axes: field.axes, row })) continue;
        addProducts(rotation, row, { elements, left, right });
      }
    }
  }
  return rotations.map(({ matrix }) => matrix);
}

/**
 * Computes the sums of the elements of the units of each cell, over all weights that they lie in: `[size]`
 * for each space.
 */
async function unitSums(
  network: Checkpoint,
  spec: SymmetrySpec,
  spaces: readonly RotationSpace[],
): Promise<Float64Array[]> {
  const rotations = spaces.map((space): Rotation => ({ space, matrix: new Float64Array(space.size) }));
  for (const [name, layout] of spec.weights) {
    const fields = placesOf(layout, rotations);
    if (fields.length === 0) continue;
    const values = await readValues(network, name);
    const elementsOf = elementFinder(values.length, layout.view);
    for (const { field, rotation, rows } of fields) {
      const elements = elementsOf(field.axes);
      for (const row of rows) {
        row.forEach((position, unit) => {
          for (const element of entry(elements, position, "position")) {
            rotation.matrix[unit] = (rotation.matrix[unit] as number) + (values[element] as number);
          }
        });
      }
    }
  }
  return rotations.map(({ matrix }) => matrix);
}

async function readValues(checkpoint: Checkpoint, name: string): Promise<Float32Array> {
  const { data, dtype } = await checkpoint.read(name);
  return toFloat32(data, dtype);
}

interface Sides {
  readonly elements: ReadonlyMap<number, Int32Array>;
  readonly left: Float32Array;
  readonly right: Float32Array;
}

function addProducts({ space, matrix }: Rotation, row: Int32Array, { elements, left, right }: Sides): void {
  const { size } = space;
  const lists = Array.from(row, (position) => entry(elements, position, "position"));
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const [one, two] = [at(lists, i, "unit"), at(lists, j, "unit")];
      let sum = 0;
      for (let k = 0; k < one.length; k++)
        sum += (left[one[k] as number] as number) * (right[two[k] as number] as number);
      matrix[i * size + j] = (matrix[i * size + j] as number) + sum;
    }
  }
}
