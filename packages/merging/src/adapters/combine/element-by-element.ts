import { at, MismatchError, OutOfRangeError } from "@isthmus/core";
import type { Matrix } from "@isthmus/linear-algebra";
import { mergeBySign, trimInPlace } from "../../matrices/kernels/majority.ts";
import { addScaled } from "../../matrices/kernels/task-vectors.ts";
import type { Combination } from "./combination.ts";

/** Rule that merges matrices of one shape, each with its factor, into `out`. */
type Rule = (matrices: readonly Matrix["data"][], factors: readonly number[], out: Matrix["data"]) => void;

/**
 * Adds `A` and `B` of all adapters, each by the square root of its scale. This is fast, but a rough
 * approximation, because the product of two sums has terms that mix adapters.
 */
export const linearCombination: Combination = elementByElement((matrices, factors, out) => {
  for (const [i, matrix] of matrices.entries()) addScaled(out, matrix, at(factors, i, "adapter"));
});

/**
 * Trims `A` and `B` of each adapter to their largest elements and averages elements that agree with the
 * majority of signs, as TIES does.
 *
 * Source: Yadav et al., TIES-merging, 2023, algorithm 1, as PEFT applies it to `A` and `B`.
 * @param density - share of elements that is kept
 * @throws OutOfRangeError if the density is not in `[0, 1]`
 */
export function tiesCombination(density: number): Combination {
  if (!(density >= 0 && density <= 1)) {
    throw new OutOfRangeError(
      `Cannot merge adapters by "ties" as the density must be in [0, 1]: it is ${density}`,
    );
  }
  return elementByElement((matrices, factors, out) => {
    const trimmed = matrices.map((matrix) => matrix.slice());
    for (const matrix of trimmed) trimInPlace(matrix, density);
    mergeBySign(trimmed, factors, out);
  });
}

/**
 * Makes a combination that merges all `A` and all `B` separately. The sign of a scale goes to `A`, as in
 * PEFT.
 */
function elementByElement(rule: Rule): Combination {
  return {
    rankOf(ranks, _extents, module) {
      assertSameRank(ranks, module);
      return at(ranks, 0, "rank");
    },
    async combine({ factors, scales }) {
      const roots = scales.map((scale) => Math.sqrt(Math.abs(scale)));
      const signed = scales.map((scale, i) => (scale < 0 ? -1 : 1) * at(roots, i, "scale"));
      const merge = (matrices: readonly Matrix[], by: readonly number[]): Matrix => {
        const first = at(matrices, 0, "matrix");
        const out = first.data.slice().fill(0);
        rule(
          matrices.map(({ data }) => data),
          by,
          out,
        );
        return { ...first, data: out };
      };
      return {
        left: merge(
          factors.map(({ left }) => left),
          roots,
        ),
        right: merge(
          factors.map(({ right }) => right),
          signed,
        ),
      };
    },
  };
}

function assertSameRank(ranks: readonly number[], module: string): void {
  const different = new Set(ranks);
  if (different.size <= 1) return;
  throw new MismatchError(
    `Cannot merge adapters element by element as their ranks of "${module}" must be equal: they are ${[...different].join(", ")}; merge by "cat" or "svd"`,
    { parameters: [module] },
  );
}
