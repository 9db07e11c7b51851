import { at } from "@isthmus/core";
import { type Matrix, transposeMatrix } from "@isthmus/linear-algebra";
import { multiplyBy } from "../../matrices/kernels/traces.ts";
import { leadingSvd } from "../../matrices/leading-svd.ts";
import type { Combination } from "./combination.ts";
import {
  assertDensity,
  ELEMENT_RULES,
  type ElementRuleName,
  type ElementSettings,
  mergeElements,
} from "./element-rules.ts";
import { assertRank, firstScaled } from "./exact.ts";

/**
 * Shorter side of a weight up to which all singular values are computed. The singular values of trimmed
 * changes fall slowly, which makes a search less accurate.
 */
const EXACT = 1024;

/**
 * Makes a combination that merges the products `B A` by a rule on elements, and keeps the largest singular
 * values of the result. The result depends on what adapters change alone, not on how their factors are
 * turned; it holds all products in memory.
 * @param rank - rank of the result; undefined for the largest rank of the adapters
 * @throws OutOfRangeError if the rank or the density is out of range
 */
export function productCombination(
  name: Exclude<ElementRuleName, "linear">,
  rank: number | undefined,
  settings: ElementSettings,
): Combination {
  const rule = ELEMENT_RULES[name];
  assertDensity(`${name}_svd`, rule, settings.density);
  assertRank(`${name}_svd`, rank);
  return {
    rankOf: (ranks, extents) => Math.min(rank ?? Math.max(...ranks), extents.out, extents.in),
    heldBytes: (count, { out, in: from }) => 4 * (3 * count + 2) * out * from,
    async combine({ factors, ownScales, weights, products, name: module }) {
      const changes: Matrix[] = [];
      for (const [i, { left, right }] of factors.entries()) {
        const change = await products.multiply(left, right);
        // Signs are elected among changes with their scales, before weights, as in PEFT.
        multiplyBy(change.data, at(ownScales, i, "scale"));
        changes.push(change);
      }
      const merged = mergeElements(changes, weights, rule, { ...settings, label: module });
      const ranks = factors.map(({ right }) => right.rows);
      const keep = Math.min(rank ?? Math.max(...ranks), merged.rows, merged.columns);
      const { left, values, right } = await leadingSvd(merged, { rank: keep, products, exactUpTo: EXACT });
      return {
        left: firstScaled(left, values, keep),
        right: transposeMatrix(firstScaled(right, undefined, keep)),
      };
    },
  };
}
