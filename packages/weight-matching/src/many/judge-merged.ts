import type { Checkpoint } from "@isthmus/core";
import { type Architecture, createEvaluator, type DataSet } from "@isthmus/graph";
import { countBatchNorms, recalibrateBatchNorm } from "@isthmus/statistics";
import { meanOfNetworks } from "../weights/mean-of-networks.ts";

/** Measures the loss of the mean of aligned networks. */
export interface MergedJudge {
  /** Returns the loss of the mean of networks of the graph, which are in the same coordinates. */
  judge(networks: readonly Checkpoint[]): Promise<number>;
  /** Frees the engine's memory. */
  release(): Promise<void>;
}

/**
 * Creates a judge of alignments by what they are for: the loss of the mean of the networks on examples. The
 * statistics of batch norms are measured again on the same examples first: a mean has others than its parts.
 *
 * One thread runs, so that the choice between alignments does not depend on the number of cores.
 * @throws InputError if the examples do not fit the graph, or no loss can be computed from its outputs
 */
export async function createMergedJudge(
  architecture: Architecture,
  data: DataSet,
  signal?: AbortSignal,
): Promise<MergedJudge> {
  const { graph } = architecture;
  const options = { threads: 1 };
  const evaluator = await createEvaluator(architecture, data, options);
  const hasNorms = countBatchNorms(graph) > 0;
  return {
    async judge(networks) {
      const mean = await meanOfNetworks(graph, networks);
      const measured = hasNorms
        ? await recalibrateBatchNorm(architecture, mean, data, { ...options, signal })
        : mean;
      return (await evaluator.evaluate(measured, signal)).loss;
    },
    release: () => evaluator.release(),
  };
}
