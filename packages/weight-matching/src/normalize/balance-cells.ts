import { at, type Checkpoint } from "@isthmus/core";
import { type DiagonalSymmetry, placesOf, type Rotation, type RotationSpace } from "@isthmus/symmetry";
import { Matrix } from "ml-matrix";
import { decompose } from "./align-rotations.ts";
import type { FoundSymmetries } from "./found-symmetries.ts";
import { rotationProducts, type UsePlace } from "./rotation-products.ts";

/** Eigenvalues below this share of the largest are taken to be zero: no scale is better than another then. */
const RANK_TOLERANCE = 1e-7;

/**
 * Finds the rotations and scales after which the products of the units of each cell in front, `F`, equal
 * those behind, `G`: the element of all invertible matrices that makes the sum of squares of the weights
 * least. It is the root of `F^-1/2 (F^1/2 G F^1/2)^1/2 F^-1/2`, of which the eigenvectors are the rotation
 * and the values the scales. Cells whose units are not independent, or are not scaled, are left as they are.
 *
 * @see Kempf and Ness, "The length of vectors in representation spaces" (1979): shortest vectors of an orbit
 *   are unique up to rotation
 * @returns a rotation for each cell, and a factor for each variable to be applied after it
 */
export async function balanceCells(
  network: Checkpoint,
  { spec, linear }: FoundSymmetries,
): Promise<{ readonly turned: readonly Rotation[]; readonly factors: Float64Array }> {
  const { scales, rotations } = linear;
  const both: readonly [Checkpoint, Checkpoint] = [network, network];
  const front = await rotationProducts(both, spec, rotations, onSide(scales, 1));
  const behind = await rotationProducts(both, spec, rotations, onSide(scales, -1));
  const variables = variablesOf(scales, spec, rotations);
  const factors = new Float64Array(scales.variables).fill(1);
  const turned: Rotation[] = [];
  rotations.forEach((space, i) => {
    const ofCell = variables[i];
    if (ofCell === undefined) return;
    const balance = balanceOf(at(front, i, "space"), at(behind, i, "space"), space.size);
    if (balance === undefined) return;
    turned.push({ space, matrix: balance.vectors });
    ofCell.forEach((variable, unit) => {
      factors[variable] = Math.sqrt(at(balance.values, unit, "unit"));
    });
  });
  return { turned, factors };
}

/** Takes places that a variable multiplies, or divides. */
function onSide(scales: DiagonalSymmetry, side: 1 | -1): UsePlace {
  return ({ tensor, axes, row }) => {
    const sign = Math.sign(variableAt(scales, { tensor, axes, position: at(row, 0, "position") }));
    return sign === side;
  };
}

/** Variable of a place in a weight, as `FactorField` writes it; 0 where none lies on these axes. */
function variableAt(
  { weights }: DiagonalSymmetry,
  {
    tensor,
    axes,
    position,
  }: { readonly tensor: string; readonly axes: readonly number[]; readonly position: number },
): number {
  const field = weights.get(tensor)?.fields.find((candidate) => candidate.axes.join() === axes.join());
  return field === undefined ? 0 : at(field.variables, position, "position");
}

/**
 * The variable that multiplies each unit of each cell in front; undefined for cells of which some unit has
 * none of its own.
 */
function variablesOf(
  scales: DiagonalSymmetry,
  spec: FoundSymmetries["spec"],
  spaces: readonly RotationSpace[],
): (Int32Array | undefined)[] {
  const variablesOfSpaces = spaces.map(({ size }) => new Int32Array(size).fill(-1));
  const rotations = spaces.map((space): Rotation => ({ space, matrix: new Float64Array() }));
  for (const [tensor, layout] of spec.weights) {
    for (const { field, rotation, rows } of placesOf(layout, rotations)) {
      const ofSpace = at(variablesOfSpaces, spaces.indexOf(rotation.space), "space");
      for (const row of rows) {
        row.forEach((position, unit) => {
          const variable = variableAt(scales, { tensor, axes: field.axes, position });
          if (variable > 0) ofSpace[unit] = variable - 1;
        });
      }
    }
  }
  return variablesOfSpaces.map((ofSpace) =>
    ofSpace.every((variable) => variable >= 0) && new Set(ofSpace).size === ofSpace.length
      ? ofSpace
      : undefined,
  );
}

/**
 * Eigenvectors and values of the matrix `S^2` for which `S F S = S^-1 G S^-1`; undefined where `F` or `G` has
 * no inverse.
 */
function balanceOf(front: ArrayLike<number>, behind: ArrayLike<number>, size: number) {
  const root = power(front, size, 0.5);
  const inverse = power(front, size, -0.5);
  if (root === undefined || inverse === undefined) return undefined;
  const inner = root.mmul(Matrix.from1DArray(size, size, behind)).mmul(root);
  const middle = power(inner.to1DArray(), size, 0.5);
  if (middle === undefined) return undefined;
  const mean = inverse.mmul(middle).mmul(inverse);
  return decompose(mean.add(mean.transpose()).mul(0.5).to1DArray(), size);
}

/** A power of a symmetric positive definite matrix; undefined if it is not definite. */
function power(matrix: ArrayLike<number>, size: number, exponent: number): Matrix | undefined {
  const { vectors, values } = decompose(matrix, size);
  const [largest, least] = [at(values, 0, "eigenvalue"), at(values, size - 1, "eigenvalue")];
  if (!(largest > 0 && least > RANK_TOLERANCE * largest)) return undefined;
  const rows = Matrix.from1DArray(size, size, vectors);
  const scaled = Matrix.diag(Array.from(values, (value) => value ** exponent));
  return rows.transpose().mmul(scaled).mmul(rows);
}
