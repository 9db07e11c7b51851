import { InvariantError } from "@isthmus/core";
import {
  type DominantSubspaces,
  joinColumns,
  type Matrix,
  type MatrixProducts,
  polarFactor,
  sliceColumns,
} from "@isthmus/linear-algebra";

/**
 * Joins parts of several matrices. `left` and `right` are orthogonalized over all parts; the `core` of each
 * part is kept.
 * @param parts - at least one part; its `core`, `[l, r]`, maps right directions of the part to left ones
 */
export async function joinParts(
  parts: readonly [DominantSubspaces, ...DominantSubspaces[]],
  products: MatrixProducts,
): Promise<Matrix> {
  const { left, right } = await joinBases(parts, products);
  const mapped: Matrix[] = [];
  let begin = 0;
  for (const { core } of parts) {
    mapped.push(await products.multiply(sliceColumns(left, begin, begin + core.rows), core));
    begin += core.rows;
  }
  const [of, ...rest] = mapped;
  if (of === undefined) throw new InvariantError("no parts to join");
  return products.multiply(joinColumns([of, ...rest]), right, { transposeRight: true });
}

/** Makes the left and the right directions of several parts orthogonal over all parts. */
export async function joinBases(
  [first, ...others]: readonly [DominantSubspaces, ...DominantSubspaces[]],
  products: MatrixProducts,
): Promise<Pick<DominantSubspaces, "left" | "right">> {
  const left = await polarFactor(joinColumns([first.left, ...others.map((part) => part.left)]), products);
  const right = await polarFactor(joinColumns([first.right, ...others.map((part) => part.right)]), products);
  return { left, right };
}
