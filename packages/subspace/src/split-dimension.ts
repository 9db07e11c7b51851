import { at, sumOf } from "@isthmus/core";

/**
 * Splits a dimension over layers in proportion to their sizes, with at least 1 and at most its size for each
 * layer. The remainder of rounding goes to the layers that lost most by it, among equal ones to the first.
 * @param sizes - numbers of parameters, each at least 1
 * @param dimension - from the number of layers to the sum of the sizes
 */
export function splitDimension(sizes: readonly number[], dimension: number): number[] {
  const total = sumOf(sizes);
  const shares = sizes.map((size) => (size / total) * dimension);
  const parts = shares.map((share) => Math.max(1, Math.floor(share)));
  let left = dimension - sumOf(parts);
  const lacks = (index: number) => at(shares, index, "share") - at(parts, index, "part");
  const indices = [...sizes.keys()];
  const change = (by: 1 | -1) => {
    const able = indices.filter((index) => {
      const part = at(parts, index, "part") + by;
      return part >= 1 && part <= at(sizes, index, "size");
    });
    const chosen = able.reduce((best, index) => (by * (lacks(index) - lacks(best)) > 0 ? index : best));
    parts[chosen] = at(parts, chosen, "part") + by;
    left -= by;
  };
  while (left !== 0) change(left > 0 ? 1 : -1);
  return parts;
}
