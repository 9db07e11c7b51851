import { at, blendInto, type Elements, lerpInto } from "@isthmus/core";

/**
 * Writes the weighted average of stored elements, computed in f32 and rounded once to the type of `out`.
 *
 * Where all shares are positive the mean is built up one array at a time, `mean_k = mean_(k-1) + w_k / (w_1
 * + ... + w_k) (x_k -
 * mean_(k-1))`, so that equal elements stay as they are, bit for bit; else it is the sum of the products.
 *
 * @param parts - at least one array, all of the length of `out`
 * @param shares - how much of each part, of sum 1
 */
export function averageInto(parts: readonly Elements[], shares: readonly number[], out: Elements): void {
  if (!shares.every((share) => share > 0)) {
    blendInto(parts, shares, out);
    return;
  }
  const first = at(parts, 0, "part");
  let mean = first;
  let total = at(shares, 0, "share");
  const last = parts.length - 1;
  for (let k = 1; k < last; k++) {
    const share = at(shares, k, "share");
    total += share;
    const next = mean === first ? { dtype: "f32" as const, data: new Float32Array(out.data.length) } : mean;
    lerpInto(mean, at(parts, k, "part"), share / total, next);
    mean = next;
  }
  // A single part is its own mean.
  const share = last === 0 ? 0 : at(shares, last, "share");
  lerpInto(mean, at(parts, last, "part"), share / (total + share), out);
}
