/** What the units of updates are matched to: the global network, or each other. */
export type AlignTarget = "global" | "each-other";

/** What units are matched to as descriptions may spell it: `each other` is taken for `each-other`. */
export type AlignTargetSpelling = AlignTarget | "each other";

/** What units can be matched to. */
export const ALIGN_TARGETS: readonly AlignTarget[] = ["global", "each-other"];

/** All spellings of what units can be matched to. */
export const ALIGN_TARGET_SPELLINGS: readonly AlignTargetSpelling[] = [...ALIGN_TARGETS, "each other"];

/**
 * Returns what units are matched to, however it is spelled.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { alignTargetOf } from "@isthmus/federated";
 *
 * assert.equal(alignTargetOf("each other"), "each-other");
 * ```
 */
export function alignTargetOf(spelling: AlignTargetSpelling): AlignTarget {
  return spelling === "each other" ? "each-other" : spelling;
}
