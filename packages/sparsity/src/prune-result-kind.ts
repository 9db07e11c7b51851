import type { ResultKind } from "@isthmus/findings";
import { basename } from "@isthmus/platform";
import { describePruning } from "./describe/describe-pruning.ts";
import type { PruneResult } from "./prune-result.ts";

/**
 * Results of `isthmus prune`: the weights or units that were pruned from a network, and the effect on its
 * loss.
 */
export const PRUNE_RESULT: ResultKind<PruneResult> = {
  kind: "prune",
  form: async () => (await import("./prune-form.ts")).PRUNE_FORM,
  describe: describePruning,
  titleOf: ({ network }) => `${basename(network)}, pruned`,
};
