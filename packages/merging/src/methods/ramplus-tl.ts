import { at } from "@isthmus/core";
import { countShared } from "../kernels/contributions.ts";
import type { MergeMethod } from "../merge-method.ts";
import {
  CONTRIBUTION_SPECS,
  type ContributionSpecs,
  countContributions,
  leastContribution,
  writeContributions,
} from "../task-vectors/contributions.ts";
import type { OfMerge } from "../task-vectors/parameters.ts";
import { scanDeltas } from "../task-vectors/scan-deltas.ts";

type RamplusSpecs = ContributionSpecs & { readonly r: OfMerge<number>; readonly alpha: OfMerge<number> };

/**
 * Variant of `ram` in which differences of a single network are enlarged, the more of its differences are
 * shared.
 */
export const ramplusTl: MergeMethod<RamplusSpecs, readonly number[]> = {
  name: "ramplus_tl",
  description:
    "Adds shared differences as their mean, and a difference that one network has alone times a factor of its tensor.",
  source: "Reinforced agent merging, arXiv 2601.13572, 2026",
  parameters: {
    ...CONTRIBUTION_SPECS,
    r: {
      description: "How much the factor grows with the ratio of shared to other differences.",
      of: "merge",
      default: 0.1,
    },
    alpha: { description: "Largest ratio that counts.", of: "merge", default: 0.2, least: 0 },
  },
  networks: { least: 1, base: "required" },
  async survey(tensor) {
    const { epsilon, r, alpha } = tensor.parameters;
    const unique = tensor.networks.map(() => 0);
    const shared = tensor.networks.map(() => 0);
    await scanDeltas(tensor, ({ deltas }) => {
      const counts = countContributions(deltas, epsilon);
      for (const [k, delta] of deltas.entries()) {
        const [alone, together] = countShared(delta, counts, leastContribution(delta, epsilon));
        unique[k] = at(unique, k, "count") + alone;
        shared[k] = at(shared, k, "count") + together;
      }
    });
    return shared.map(
      (count, k) => 1 + r * Math.min(count / Math.max(at(unique, k, "count"), epsilon), alpha),
    );
  },
  blendInto(range, out) {
    const { epsilon } = range.tensor.parameters;
    return writeContributions(range, out, { epsilon, unique: range.survey });
  },
};
