import type { MergeMethod } from "../merge-method.ts";
import {
  CONTRIBUTION_SPECS,
  type ContributionSpecs,
  writeContributions,
} from "../task-vectors/contributions.ts";

/**
 * Base plus the differences of the networks: a difference of a single network is added in full, shared
 * differences as their mean.
 */
export const ram: MergeMethod<ContributionSpecs, undefined> = {
  name: "ram",
  description: "Adds a difference that one network has alone in full, and shared ones as their mean.",
  source: "Reinforced agent merging, arXiv 2601.13572, 2026",
  parameters: CONTRIBUTION_SPECS,
  networks: { least: 1, base: "required" },
  blendInto(range, out) {
    const { epsilon } = range.tensor.parameters;
    const unique = range.parts.map(() => 1);
    return writeContributions(range, out, { epsilon, unique });
  },
};
