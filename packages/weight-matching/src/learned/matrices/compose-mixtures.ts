import { at } from "@isthmus/core";
import type { MixingSpace, Mixture } from "@isthmus/symmetry";
import { times, transposed } from "./square-matrices.ts";

/** Composes two mixtures: the result mixes by `second` what `first` has mixed. */
export function compositionOf(spaces: readonly MixingSpace[], second: Mixture, first: Mixture): Mixture {
  const join = (which: "matrices" | "inverses") =>
    spaces.map(({ size }, space) => {
      const [left, right] = [second, first].map((mixture) => at(mixture[which], space, "space"));
      return times(left as Float64Array, right as Float64Array, size);
    });
  return { matrices: join("matrices"), inverses: join("inverses") };
}

/** Inverts a mixture, whose inverses are kept transposed. */
export function inverseMixture(spaces: readonly MixingSpace[], { matrices, inverses }: Mixture): Mixture {
  const turn = (list: readonly Float64Array[]) =>
    spaces.map(({ size }, space) => transposed(at(list, space, "space"), size));
  return { matrices: turn(inverses), inverses: turn(matrices) };
}
