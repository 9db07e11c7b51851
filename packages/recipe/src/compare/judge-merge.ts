import type { NetworkComparison } from "./comparison.ts";
import { findBase } from "./findings/find-base.ts";
import { findKinship } from "./findings/find-kinship.ts";
import { findStructure } from "./findings/find-structure.ts";
import { findTraits } from "./findings/find-traits.ts";
import type { JudgedMerge, MergeFinding } from "./findings/merge-finding.ts";
import { judgePair, type PairVerdict, VERDICTS, type Verdict } from "./judge-pair.ts";

/** Options of {@link judgeMerge}. */
export interface JudgeMergeOptions {
  /** Name of the method that will merge the networks. @defaultValue undefined: no method is chosen yet */
  readonly method?: string | undefined;
  /** Whether the method is given a base. @defaultValue whether the comparison has one */
  readonly hasBase?: boolean | undefined;
  /** Whether the networks are aligned before they are merged. @defaultValue false */
  readonly aligned?: boolean | undefined;
}

/** Consequences of a comparison for a merge, as plain data. */
export interface MergeVerdict {
  /** The worst of the verdicts on pairs of networks that are merged, which excludes the base. */
  readonly verdict: Verdict;
  /** Confidence in the verdict, from 0.5 (a guess) to 1. */
  readonly confidence: number;
  /** Verdicts on all pairs, the base included, in the order of the comparison. */
  readonly pairs: readonly PairVerdict[];
  /** Findings that concern the merge, errors first. */
  readonly findings: readonly MergeFinding[];
}

const SEVERITIES: readonly MergeFinding["severity"][] = ["error", "warning", "note"];

/**
 * Judges from a comparison whether networks can be merged without alignment or repair, and advises on each
 * obstacle. The limits of the verdicts were measured, see `KINSHIP`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openCheckpoint } from "@isthmus/core";
 * import { compareNetworks, judgeMerge } from "@isthmus/recipe";
 *
 * const a = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
 * const b = await openCheckpoint("examples/mnist-mlp/s1.safetensors");
 * const { verdict, findings } = judgeMerge(await compareNetworks([a, b]), { method: "linear" });
 * assert.equal(verdict, "different seed");
 * assert.match(findings[0]?.advice ?? "", /align them first/);
 * await Promise.all([a.close(), b.close()]);
 * ```
 */
export function judgeMerge(comparison: NetworkComparison, options: JudgeMergeOptions = {}): MergeVerdict {
  const { base } = comparison;
  const merge: JudgedMerge = {
    method: options.method,
    hasBase: options.hasBase ?? base !== null,
    aligned: options.aligned ?? false,
  };
  const pairs = comparison.pairs.map(judgePair);
  const merged = pairs.filter(({ a, b }) => a !== base && b !== base);
  const findings = [
    ...findTraits(comparison, merge),
    ...findStructure(comparison),
    ...findKinship(comparison, pairs, merge),
    ...findBase(comparison, merge),
  ];
  return {
    ...worstOf(merged.length > 0 ? merged : pairs),
    pairs,
    findings: SEVERITIES.flatMap((severity) => findings.filter((finding) => finding.severity === severity)),
  };
}

/**
 * Returns the worst verdict on any pair. Its confidence is the highest of the pairs with this verdict, or the
 * lowest if all pairs have it.
 */
function worstOf(pairs: readonly PairVerdict[]): Pick<MergeVerdict, "verdict" | "confidence"> {
  const verdict =
    VERDICTS.findLast((candidate) => pairs.some((pair) => pair.verdict === candidate)) ?? "identical";
  const confidences = pairs.filter((pair) => pair.verdict === verdict).map(({ confidence }) => confidence);
  const isOfAll = confidences.length === pairs.length;
  return { verdict, confidence: isOfAll ? Math.min(...confidences) : Math.max(...confidences) };
}
