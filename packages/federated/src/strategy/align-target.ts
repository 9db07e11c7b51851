/** Target to which the units of updates are matched: the global network, or each other. */
export type AlignTarget = "global" | "each-other";

/** Target of the matching as descriptions may spell it: `each other` means `each-other`. */
export type AlignTargetSpelling = AlignTarget | "each other";

/** All targets of the matching. */
export const ALIGN_TARGETS: readonly AlignTarget[] = ["global", "each-other"];

/** All spellings of the targets of the matching. */
export const ALIGN_TARGET_SPELLINGS: readonly AlignTargetSpelling[] = [...ALIGN_TARGETS, "each other"];

/**
 * Returns the target of the matching, however it is spelled.
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
