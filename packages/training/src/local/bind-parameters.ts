import { type Checkpoint, findNonFinite, InputError, type TensorInfo } from "@isthmus/core";
import { bindWeights, type Graph } from "@isthmus/graph";
import type { TrainingStep } from "../step/training-step.ts";
import type { ParameterTensors } from "./next-control-variates.ts";

/** Returns a graph with no weights but the parameters that a step trains, in the step's order. */
export function trainedPart(graph: Graph, { carried }: Pick<TrainingStep, "carried">): Graph {
  const trained = carried.filter(({ role }) => role === "parameter");
  const weights = trained.map(({ input, dtype, shape }): [string, TensorInfo & { role: "parameter" }] => [
    input,
    { dtype, shape, role: "parameter" },
  ]);
  return { ...graph, weights: new Map(weights) };
}

/**
 * Reads the trained parameters from a checkpoint, in the graph's element types.
 * @param part - graph of the trained parameters alone
 * @param what - name of the checkpoint in messages
 * @throws MismatchError if a tensor is missing or has another shape
 * @throws InputError if a number is not finite
 */
export async function bindParameters(
  part: Graph,
  checkpoint: Checkpoint,
  what: string,
): Promise<ParameterTensors> {
  const tensors = await bindWeights(part, checkpoint);
  for (const [name, tensor] of tensors) {
    const index = findNonFinite(tensor);
    if (index < 0) continue;
    throw new InputError(
      `Cannot train with ${what} "${checkpoint.source}" as every number must be finite: element ${index} of "${name}" is not`,
      { input: checkpoint.source },
    );
  }
  return tensors;
}
