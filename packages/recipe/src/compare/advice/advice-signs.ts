import { at } from "@isthmus/core";
import type { NetworkComparison, TaskVectors } from "../comparison.ts";
import type { MergeVerdict } from "../judge-merge.ts";
import { VERDICTS, type Verdict } from "../judge-pair.ts";

/** Signs of gradients on examples, measured at the mean of the networks. */
export interface GradientSigns {
  /**
   * Mean cosine between the gradients of the losses of every two networks' examples; null for one data
   * set.
   */
  readonly alignment: number | null;
  /**
   * Rise of the mean loss along the step from the base to the mean of the networks, to first order for the
   * whole step, in nats: positive if a shorter step has a lower loss. Null without a base.
   */
  readonly slope: number | null;
}

/** Numbers by which a rule of the advice is chosen, as plain data. */
export interface AdviceSigns {
  /** The worst verdict on two networks that are merged. */
  readonly verdict: Verdict;
  /** Whether none, some or all of the networks that are merged are adapters, such as LoRA. */
  readonly adapters: "none" | "some" | "all";
  /** Number of networks that are merged. */
  readonly networks: number;
  /** Least kinship of two networks that are merged; null if matrices are too small. */
  readonly kinship: number | null;
  /** Largest distance of two networks that are merged; null if a norm is 0. */
  readonly distance: number | null;
  /** Mean cosine between steps from the base; null without a base, or with one step. */
  readonly cosine: number | null;
  /** Mean share of sign conflicts between steps from the base; null without a named base. */
  readonly conflict: number | null;
  /** Mean length of the steps, in units of the base's norm; null without a base. */
  readonly length: number | null;
  /** Length of the longest step divided by the shortest; null without a base. */
  readonly unequal: number | null;
  /** Number of networks, the base included, in which NaN or infinities were seen. */
  readonly nonFinite: number;
  /** Signs of gradients; null if they were not measured. */
  readonly gradients: GradientSigns | null;
}

/** Reads the signs of a merge off a comparison. */
export function readSigns(
  { pairs, taskVectors, networks }: NetworkComparison,
  { pairs: verdicts }: Pick<MergeVerdict, "pairs">,
  gradients: GradientSigns | null = null,
): AdviceSigns {
  const base = taskVectors?.base;
  const isMerged = ({ a, b }: { readonly a: number; readonly b: number }) => a !== base && b !== base;
  const merged = pairs.filter(isMerged);
  const ofMerged = verdicts.filter(isMerged).map(({ verdict }) => verdict);
  const withoutNulls = (numbers: readonly (number | null)[]) => numbers.filter((number) => number !== null);
  const adapters = networks.filter(({ adapter }, i) => i !== base && adapter).length;
  const count = networks.length - (base === undefined ? 0 : 1);
  const steps = taskVectors === null ? null : signsOfSteps(taskVectors);
  return {
    verdict: VERDICTS.findLast((candidate) => ofMerged.includes(candidate)) ?? "identical",
    adapters: adapters === 0 ? "none" : adapters < count ? "some" : "all",
    networks: count,
    kinship: leastOf(withoutNulls(merged.map(({ kinship }) => kinship))),
    distance: mostOf(withoutNulls(merged.map(({ distance }) => distance))),
    cosine: steps?.cosine ?? null,
    conflict: steps?.conflict ?? null,
    length: steps?.length ?? null,
    unequal: steps?.unequal ?? null,
    nonFinite: networks.filter(({ nonFinite }) => nonFinite.length > 0).length,
    gradients,
  };
}

function signsOfSteps({
  cosines,
  conflicts,
  lengths,
}: TaskVectors): Pick<AdviceSigns, "cosine" | "conflict" | "length" | "unequal"> {
  const [least, most] = [leastOf(lengths), mostOf(lengths)];
  return {
    cosine: meanOf(upperOf(cosines)),
    conflict: conflicts === null ? null : meanOf(upperOf(conflicts)),
    length: meanOf(lengths),
    unequal: least === null || most === null || least === 0 ? null : most / least,
  };
}

/** Lists the entries above the diagonal of a table. */
const upperOf = (table: readonly (readonly number[])[]): number[] =>
  table.flatMap((row, i) => row.filter((_, j) => j > i));

const meanOf = (numbers: readonly number[]): number | null =>
  numbers.length === 0 ? null : numbers.reduce((sum, x) => sum + x, 0) / numbers.length;

const leastOf = (numbers: readonly number[]): number | null =>
  numbers.length === 0 ? null : numbers.reduce((x, y) => Math.min(x, y), at(numbers, 0, "number"));

const mostOf = (numbers: readonly number[]): number | null =>
  numbers.length === 0 ? null : numbers.reduce((x, y) => Math.max(x, y), at(numbers, 0, "number"));
