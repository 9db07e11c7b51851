import { type Checkpoint, createCheckpoint, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import {
  createEvaluator,
  type DataSet,
  type Evaluation,
  type EvaluatorOptions,
  type Graph,
} from "@isthmus/graph";

/** Evaluates one network: a checkpoint, or weights that are fed as they are. */
export async function evaluateNetwork(
  { graph, data }: { readonly graph: Graph; readonly data: DataSet },
  network: Checkpoint | ReadonlyMap<string, Tensor>,
  options: EvaluatorOptions = {},
): Promise<Evaluation> {
  const evaluator = await createEvaluator({ graph, engine: createOnnxRuntimeEngine() }, data, options);
  try {
    return await evaluator.evaluate("tensors" in network ? network : createCheckpoint(network));
  } finally {
    await evaluator.release();
  }
}
