import { at, OutOfRangeError } from "@isthmus/core";
import type { Matrix } from "@isthmus/linear-algebra";
import { keepBelow } from "../../kernels/vectors.ts";
import { mergeBySign, trimInPlace } from "../../matrices/kernels/majority.ts";
import { addScaled } from "../../matrices/kernels/task-vectors.ts";
import { multiplyBy } from "../../matrices/kernels/traces.ts";
import { randomBitsInto } from "../../random/random-bits.ts";
import { deriveStreamKey } from "../../random/stream-key.ts";

/** Number of elements for which random bits are drawn at a time. */
const DRAWN = 2 ** 16;

/** How a combination treats the elements of matrices of one shape, one place at a time. */
export interface ElementRule {
  /**
   * Elements that are kept: all, the largest of each matrix, or some by chance, which are scaled up to
   * compensate for the others.
   */
  readonly keeps: "all" | "largest" | "chance";
  /** Whether only elements of the elected sign are averaged, as in TIES; otherwise all are added. */
  readonly electsSigns: boolean;
}

/**
 * Rules on elements by the names that PEFT gives to them. Each is a combination on the factors `A` and `B`,
 * and, with `_svd` behind its name, on the products.
 *
 * Source: Yadav et al., TIES-merging, 2023, algorithm 1; Yu et al., Language models are super Mario (DARE),
 * 2023, section 3.2; PEFT, utils/merge_utils.py.
 */
export const ELEMENT_RULES: Readonly<Record<ElementRuleName, ElementRule>> = {
  linear: { keeps: "all", electsSigns: false },
  ties: { keeps: "largest", electsSigns: true },
  dare_linear: { keeps: "chance", electsSigns: false },
  dare_ties: { keeps: "chance", electsSigns: true },
  magnitude_prune: { keeps: "largest", electsSigns: false },
};

/** Name of a rule on elements. */
export type ElementRuleName = "linear" | "ties" | "dare_linear" | "dare_ties" | "magnitude_prune";

/** How signs are elected: by the sum of elements, or by the number of elements of each sign. */
export type MajoritySign = "total" | "frequency";

/** Settings of a rule on elements. */
export interface ElementSettings {
  /** Share of elements that is kept, in `[0, 1]`; for a choice by chance, above 0. */
  readonly density: number;
  /** How signs are elected. */
  readonly majoritySign: MajoritySign;
  /** Seed of a choice by chance, a whole number of at least 0. */
  readonly seed: number;
  /** Positions, among all adapters, of the adapters that change the module. */
  readonly positions: readonly number[];
}

/**
 * Checks the density of a rule.
 * @throws OutOfRangeError if it is out of range
 */
export function assertDensity(name: string, { keeps }: ElementRule, density: number): void {
  if (keeps === "all" || (density >= 0 && density <= 1 && !(keeps === "chance" && density === 0))) return;
  const range = keeps === "chance" ? "above 0 and at most 1" : "in [0, 1]";
  throw new OutOfRangeError(
    `Cannot merge adapters by "${name}" as the density must be ${range}: it is ${density}`,
  );
}

/**
 * Merges matrices of one shape by a rule, each with its factor. Elements are chosen and signs are elected
 * before the factors are applied, as in PEFT.
 * @param label - name of the matrices, from which the stream of random numbers is derived
 * @returns a new matrix of the same shape
 */
export function mergeElements(
  matrices: readonly Matrix[],
  factors: readonly number[],
  { keeps, electsSigns }: ElementRule,
  { label, ...settings }: ElementSettings & { readonly label: string },
): Matrix {
  const first = at(matrices, 0, "matrix");
  const out = first.data.slice().fill(0);
  const sparse = matrices.map(({ data }, i) => {
    if (keeps === "all" || settings.density === 1) return data;
    const copy = data.slice();
    if (keeps === "largest") trimInPlace(copy, settings.density);
    else
      keepByChanceInPlace(copy, {
        ...settings,
        tensor: label,
        network: at(settings.positions, i, "position"),
      });
    return copy;
  });
  if (electsSigns) mergeBySign(sparse, factors, out, settings.majoritySign);
  else for (const [i, data] of sparse.entries()) addScaled(out, data, at(factors, i, "adapter"));
  return { ...first, data: out };
}

/** Sets elements to zero by chance, and divides the others by the share that is kept. */
function keepByChanceInPlace(
  data: Matrix["data"],
  { density, ...place }: { density: number; seed: number; tensor: string; network: number },
): void {
  const key = deriveStreamKey(place);
  for (let begin = 0; begin < data.length; begin += DRAWN) {
    const block = data.subarray(begin, begin + DRAWN);
    keepBelow(block, randomBitsInto(key, begin, new Uint32Array(block.length)), density);
  }
  multiplyBy(data, 1 / density);
}
