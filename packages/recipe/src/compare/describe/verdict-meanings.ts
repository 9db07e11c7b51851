import type { Verdict } from "../judge-pair.ts";

/** Meaning of each verdict on networks for a merge, in a few words. */
export const VERDICT_MEANINGS: Readonly<Record<Verdict, string>> = {
  identical: "there is nothing to merge",
  "same ancestor": "they can be merged without alignment",
  "permuted copy": "one network, its units in another order; align first",
  "different seed": "align first",
  "different architecture": "they cannot be averaged",
};
