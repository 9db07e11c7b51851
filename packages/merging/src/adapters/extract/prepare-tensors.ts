import { UsageError } from "@isthmus/core";
import { assertLeastMemory } from "./assert-memory.ts";
import { assertPatterns } from "./assert-patterns.ts";
import { assertRankChoice } from "./choose-ranks.ts";
import type { ResolvedExtraction } from "./extract-options.ts";
import { assertFileBegins, needIfAllChanged } from "./file-need.ts";
import type { Pair } from "./read-difference.ts";
import { chooseRoles, type ExtractedTensor } from "./tensor-roles.ts";

/**
 * Chooses how each tensor is stored, and checks all that options, names and shapes tell: the same for an
 * extraction and for its estimate.
 * @throws UsageError if a pattern chooses nothing, or everything is excluded
 * @throws MismatchError if the networks have other names or shapes
 * @throws OutOfRangeError if ranks, bytes or memory are out of range
 */
export function prepareTensors(pair: Pair, options: ResolvedExtraction): readonly ExtractedTensor[] {
  assertRankChoice(options, options.most);
  assertPatterns(pair, options);
  const tensors = chooseRoles(pair.tuned, pair.base, options);
  if (tensors.length === 0) {
    throw new UsageError(
      `Cannot extract an adapter from "${pair.tuned.source}" as --exclude must leave a tensor: its patterns fit all ${pair.tuned.tensors.size}; exclude fewer`,
    );
  }
  if (options.bytes !== undefined) {
    assertFileBegins(options.bytes, pair, needIfAllChanged(pair, tensors, options));
  }
  assertLeastMemory(pair, tensors, options);
  return tensors;
}
