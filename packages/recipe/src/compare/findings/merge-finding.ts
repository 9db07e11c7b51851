import { at } from "@isthmus/core";
import type { NetworkComparison } from "../comparison.ts";

/** Kinds of findings. */
export type FindingKind =
  | "adapter"
  | "base-missing"
  | "base-recognised"
  | "base-unrelated"
  | "chat"
  | "coarse"
  | "constant-offset"
  | "different-seed"
  | "dtypes"
  | "eight-bit-floats"
  | "far-apart"
  | "identical"
  | "layers-unrelated"
  | "model-types"
  | "names"
  | "non-finite"
  | "made-of-others"
  | "norms"
  | "opposed-steps"
  | "permuted-copy"
  | "quantized"
  | "shapes"
  | "tied-weights"
  | "vocabulary-order"
  | "vocabulary-size";

/** A property of networks that matters for merging them, with advice. */
export interface MergeFinding {
  /** Name of the property that was found. */
  readonly kind: FindingKind;
  /** `error` if the merge is surely meaningless, `warning` if it may well be, `note` otherwise. */
  readonly severity: "error" | "warning" | "note";
  /** Positions of the networks that the finding concerns. */
  readonly networks: readonly number[];
  /** Description of the finding, in one line. */
  readonly message: string;
  /** Remedy, in one line. */
  readonly advice: string;
}

/** The merge for which networks are judged. */
export interface JudgedMerge {
  /** Name of the merge method; undefined if no method is chosen yet. */
  readonly method: string | undefined;
  /** Whether the method is given a base. */
  readonly hasBase: boolean;
  /** Whether networks are aligned before they are merged. */
  readonly aligned: boolean;
}

/** Most names that a message lists. */
const LISTED = 3;

/** Formats the name of a network in messages: its position, counted from 1, and its source. */
export function nameNetwork({ networks, base }: NetworkComparison, index: number): string {
  const { source } = at(networks, index, "network");
  return index === base ? `the base ("${source}")` : `network ${index + 1} ("${source}")`;
}

/** Formats the names of several networks: `network 1 ("a.pt") and network 2 ("b.pt")`. */
export function nameNetworks(comparison: NetworkComparison, indexes: readonly number[]): string {
  const names = [...new Set(indexes)].sort((a, b) => a - b).map((index) => nameNetwork(comparison, index));
  const last = names.pop() ?? "";
  return names.length === 0 ? last : `${names.join(", ")} and ${last}`;
}

/** Formats the first few of some names: `"a", "b", "c" and 4 more`. */
export function listSome(names: readonly string[]): string {
  const quoted = names.slice(0, LISTED).map((name) => `"${name}"`);
  return names.length > LISTED ? `${quoted.join(", ")} and ${names.length - LISTED} more` : quoted.join(", ");
}

/** Formats a number of tensors: `1 tensor`, `3 tensors`. */
export function countTensors(count: number): string {
  return count === 1 ? "1 tensor" : `${count} tensors`;
}

/** Formats a share as a percentage. */
export function formatPercent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
