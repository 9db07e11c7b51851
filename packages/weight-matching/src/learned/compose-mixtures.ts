import { at } from "@isthmus/core";
import { createMatrix, multiply } from "@isthmus/linear-algebra";
import type { MixingSpace, Mixture } from "@isthmus/symmetry";

/** Composes two mixtures: the result mixes by `second` what `first` has mixed. */
export function compositionOf(spaces: readonly MixingSpace[], second: Mixture, first: Mixture): Mixture {
  const join = (which: "matrices" | "inverses") =>
    spaces.map(({ size }, space) => {
      const [left, right] = [second, first].map((mixture) => at(mixture[which], space, "space"));
      return multiply(
        createMatrix(size, size, left as Float64Array),
        createMatrix(size, size, right as Float64Array),
      ).data as Float64Array;
    });
  return { matrices: join("matrices"), inverses: join("inverses") };
}
