import { OutOfRangeError } from "@isthmus/core";
import { leastMemory } from "../../executor/estimate-merge.ts";
import { DEFAULT_RANK } from "./choose-ranks.ts";
import { exactSideOf, type ResolvedExtraction } from "./extract-options.ts";
import { type ExtractionPlan, planExtraction } from "./plan-extraction.ts";
import type { Pair } from "./read-difference.ts";
import type { ExtractedTensor } from "./tensor-roles.ts";

/**
 * Checks that an adapter is computed within a limit of memory.
 * @throws OutOfRangeError if it is not; the message states the need
 */
export function assertPlanMemory({ plan }: ExtractionPlan, { memory, exact }: ResolvedExtraction): void {
  const least = leastMemory(plan);
  if (least <= memory) return;
  throw new OutOfRangeError(
    `Cannot extract an adapter within ${memory} bytes of memory as it needs at least ${least} to hold the difference of its largest weight: allow that much, ${exact ? "leave --exact out, " : ""}or exclude that weight`,
  );
}

/**
 * Checks, before tensors are compared, that an adapter of the least possible ranks is computed within a limit
 * of memory if every tensor changed.
 * @throws OutOfRangeError if it is not; the message states the need
 */
export function assertLeastMemory(
  pair: Pair,
  tensors: readonly ExtractedTensor[],
  options: ResolvedExtraction,
): void {
  const { rank = DEFAULT_RANK, energy, bytes, dtype, products } = options;
  const least = energy === undefined && bytes === undefined ? rank : 1;
  const planned = planExtraction(pair, {
    tensors,
    factored: tensors
      .filter(({ role }) => role === "factors")
      .map((tensor) => ({ ...tensor, rank: Math.min(least, ...tensor.info.shape) })),
    whole: tensors.filter(({ role }) => role === "whole").map(({ name }) => name),
    dtype,
    products,
    exactUpTo: exactSideOf(options),
    passedOn: {},
  });
  assertPlanMemory(planned, options);
}
