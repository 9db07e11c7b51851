import { at, MismatchError } from "@isthmus/core";
import type { Matrix } from "@isthmus/linear-algebra";
import type { Combination } from "./combination.ts";
import {
  assertDensity,
  ELEMENT_RULES,
  type ElementRuleName,
  type ElementSettings,
  mergeElements,
} from "./element-rules.ts";

/**
 * Makes a combination that merges all `A` and all `B` separately by a rule on elements, each by the square
 * root of its scale. The sign of a scale goes to `A`, as in PEFT.
 *
 * This is fast, but a rough approximation: the product of two sums has terms that mix adapters, and factors
 * of two adapters may be turned against each other without a change of their products.
 * @throws OutOfRangeError if the density is out of range
 */
export function factorCombination(name: ElementRuleName, settings: ElementSettings): Combination {
  const rule = ELEMENT_RULES[name];
  assertDensity(name, rule, settings.density);
  return {
    rankOf(ranks, _extents, module) {
      assertSameRank(name, ranks, module);
      return at(ranks, 0, "rank");
    },
    async combine({ factors, scales, name: module }) {
      const roots = scales.map((scale) => Math.sqrt(Math.abs(scale)));
      const signed = scales.map((scale, i) => (scale < 0 ? -1 : 1) * at(roots, i, "scale"));
      const merge = (matrices: readonly Matrix[], by: readonly number[], side: string) =>
        mergeElements(matrices, by, rule, { ...settings, label: `${module}.${side}` });
      return {
        left: merge(
          factors.map(({ left }) => left),
          roots,
          "lora_B",
        ),
        right: merge(
          factors.map(({ right }) => right),
          signed,
          "lora_A",
        ),
      };
    },
  };
}

function assertSameRank(name: ElementRuleName, ranks: readonly number[], module: string): void {
  const different = new Set(ranks);
  if (different.size <= 1) return;
  const onProducts = name === "linear" ? '"cat" or "svd"' : `"${name}_svd"`;
  throw new MismatchError(
    `Cannot merge adapters by "${name}", which treats their factors element by element, as their ranks of "${module}" must be equal: they are ${[...different].join(", ")}; merge by ${onProducts}`,
    { parameters: [module] },
  );
}
