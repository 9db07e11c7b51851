import { stepTowards } from "../kernels/contributions.ts";
import type { MergeMethod } from "../merge-method.ts";
import type { OfMerge } from "../task-vectors/parameters.ts";
import { writeDeltas } from "../task-vectors/write-deltas.ts";

type NearswapSpecs = {
  /** Largest change of an element. */
  readonly t: OfMerge<number>;
};

/**
 * Base in which each element moves towards the network by at most `t`, so that elements within `t` of the
 * network's are replaced.
 */
export const nearswap: MergeMethod<NearswapSpecs, undefined> = {
  name: "nearswap",
  description:
    "Takes an element of the network where it is within t of the base's, else moves by t towards it.",
  source: "alchemonaut, QuartetAnemoi-70B-t0.0001, model card, 2024",
  parameters: {
    t: { description: "How far an element may move from the base.", of: "merge", least: 0 },
  },
  networks: { least: 1, most: 1, base: "required" },
  blendInto(range, out) {
    const { t } = range.tensor.parameters;
    return writeDeltas(range, out, (block, result) => stepTowards(block.base, block.network(0), t, result));
  },
};
