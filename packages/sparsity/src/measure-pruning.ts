import { bindNetwork, createCorrectedEvaluator } from "@isthmus/barrier";
import type { Checkpoint } from "@isthmus/core";
import { type Architecture, type DataSet, type LossOption, lossFields, scoreBy } from "@isthmus/graph";
import type { PruneMeasures } from "./prune-result.ts";

/** Networks whose losses are compared. */
export interface ComparedNetworks {
  /** Network before pruning. */
  readonly before: Checkpoint;
  /** Network after pruning. */
  readonly after: Checkpoint;
  /** Pruned network after further training with masks; missing if it was not trained. */
  readonly tuned?: Checkpoint | undefined;
}

/**
 * Measures loss and error of a network before and after pruning, and after further training.
 * @throws MismatchError if a network does not fit the graph
 * @throws InputError if the data do not fit the graph, or a loss is not finite
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, measurePruning, openArchitecture } from "isthmus";
 * import { openCheckpoint, openDataSet, pruneNetwork } from "isthmus";
 *
 * const architecture = await openArchitecture("examples/mnist-mlp/graph.onnx", createOnnxRuntimeEngine());
 * const network = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
 * const { weights } = await pruneNetwork(architecture, network, { sparsity: 0.95 });
 * const data = await openDataSet("mnist:test@200");
 * const { before, after } = await measurePruning(architecture, { before: network, after: weights }, data);
 * assert(before.loss < after.loss);
 * await network.close();
 * ```
 */
export async function measurePruning(
  { graph: unscored, engine }: Architecture,
  { before, after, tuned }: ComparedNetworks,
  data: DataSet,
  {
    batchSize = 100,
    signal,
    loss: named,
  }: { readonly batchSize?: number; readonly signal?: AbortSignal } & LossOption = {},
): Promise<PruneMeasures> {
  const graph = scoreBy(unscored, named);
  const evaluator = await createCorrectedEvaluator(
    { graph, engine, data },
    { attempt: "measure a pruned network", statistics: "keep", batchSize, signal },
  );
  const measure = async (network: Checkpoint) => {
    const { loss, error } = await evaluator.evaluate(await bindNetwork(graph, network), undefined);
    return { loss, error };
  };
  try {
    return {
      ...lossFields(graph, data),
      before: await measure(before),
      after: await measure(after),
      ...(tuned && { tuned: await measure(tuned) }),
      examples: data.size,
      data: data.name,
      engine: engine.name,
    };
  } finally {
    await evaluator.release();
  }
}
