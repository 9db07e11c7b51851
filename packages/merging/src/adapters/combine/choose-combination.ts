import { UsageError } from "@isthmus/core";
import type { PerTensor } from "../../parameters.ts";
import type { Combination } from "./combination.ts";
import { type CoreRule, coreCombination } from "./core-space.ts";
import { factorCombination } from "./element-by-element.ts";
import { ELEMENT_RULES, type ElementRuleName, type MajoritySign } from "./element-rules.ts";
import { catCombination, svdCombination } from "./exact.ts";
import { productCombination } from "./of-products.ts";

/** Name of one of PEFT's combinations that treat the factors of adapters element by element. */
export type FactorCombination = ElementRuleName;

/** Name of one of PEFT's combinations that depend on the products of factors alone. */
export type ProductCombination = "cat" | "svd" | `${Exclude<ElementRuleName, "linear">}_svd`;

/** Name of a combination of PEFT's `add_weighted_adapter`. */
export type PeftCombination = FactorCombination | ProductCombination;

/** Options of a combination, for all modules or by their names. */
export interface CombinationOptions {
  /** Name of the combination; `core` applies a merge method in the space that all adapters share. */
  readonly combination: PeftCombination | "core";
  /** Rank of the result of `svd` and of names that end in `_svd`. */
  readonly rank?: PerTensor<number | undefined>;
  /** Share of elements that is kept, see `ElementRule`. */
  readonly density?: PerTensor<number> | undefined;
  /** How signs are elected. */
  readonly majoritySign?: PerTensor<MajoritySign> | undefined;
  /** Seed of the choice by chance, a whole number of at least 0. */
  readonly seed?: number | undefined;
  /** Merge method that `core` applies. */
  readonly rule?: CoreRule;
}

const SVD = "_svd";

/** Checks whether a combination treats factors element by element, so that it depends on their turn. */
export function isOfFactors(name: string): name is FactorCombination {
  return Object.hasOwn(ELEMENT_RULES, name);
}

/** Checks whether a combination merges products by a rule on elements: `ties_svd` and its like. */
function isOfProducts(name: string): name is `${Exclude<ElementRuleName, "linear">}_svd` {
  return name.endsWith(SVD) && name !== `linear${SVD}` && isOfFactors(name.slice(0, -SVD.length));
}

/** Names of PEFT's combinations, in the order of its documentation. */
export const PEFT_COMBINATIONS: readonly PeftCombination[] = [
  ...(["linear", "svd", "cat", "ties", "ties_svd", "dare_ties", "dare_linear"] as const),
  ...(["dare_ties_svd", "dare_linear_svd", "magnitude_prune", "magnitude_prune_svd"] as const),
];

/**
 * Chooses the combination for a module by its name in options.
 * @param place - name of the module, and positions of the adapters that change it, among all adapters
 * @throws UsageError if the name is unknown, or `core` has no rule
 * @throws OutOfRangeError if a rank or a density is out of range
 */
export function chooseCombination(
  { combination, rank, density = 1, majoritySign = "total", seed = 0, rule }: CombinationOptions,
  { name, positions }: { readonly name: string; readonly positions: readonly number[] },
): Combination {
  const settings = () => ({
    density: valueFor(density, name),
    majoritySign: valueFor(majoritySign, name),
    seed,
    positions,
  });
  if (combination === "cat") return catCombination;
  if (combination === "svd") return svdCombination(valueFor(rank, name));
  if (isOfFactors(combination)) return factorCombination(combination, settings());
  if (isOfProducts(combination)) {
    const of = combination.slice(0, -SVD.length) as Exclude<ElementRuleName, "linear">;
    return productCombination(of, valueFor(rank, name), settings());
  }
  if (combination !== "core") {
    throw new UsageError(
      `Cannot merge adapters by "${combination}" as known are ${PEFT_COMBINATIONS.join(", ")}, core`,
    );
  }
  if (rule !== undefined) return coreCombination(rule, positions);
  throw new UsageError('Cannot merge adapters by "core" as it needs a "rule": give a merge method');
}

/** Returns the value of an option for a module. */
export function valueFor<T extends number | string | undefined>(option: PerTensor<T>, module: string): T {
  return typeof option === "function" ? option(module) : option;
}

/**
 * Returns the bytes that a combination holds for one module beside factors: 0, or several whole products for
 * names that end in `_svd`.
 * @param count - number of adapters that change the module
 * @param extents - extents of the module's weight
 */
export function combinationBytes(
  combination: CombinationOptions["combination"],
  count: number,
  extents: { readonly out: number; readonly in: number },
): number {
  if (!isOfProducts(combination)) return 0;
  return chooseCombination({ combination }, { name: "", positions: [] }).heldBytes?.(count, extents) ?? 0;
}
