import { excerpt, UsageError } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import type { Objective } from "../objective.ts";
import { attachCrossEntropy } from "./cross-entropy.ts";
import type { LossSpec } from "./loss-spec.ts";
import { attachMeanSquaredError } from "./mean-squared-error.ts";
import { attachNextToken } from "./next-token.ts";
import { attachOutput } from "./output.ts";

/**
 * Adds a loss to a graph: the inputs for targets, and the nodes that compute loss and metrics as further
 * outputs.
 *
 * @param graph - typed, as `specialize` makes it; with one data input unless the loss is of kind `output` or
 *   names the input for the examples
 * @throws MismatchError if the graph is not typed, or its inputs or outputs do not fit the loss
 * @throws OutOfRangeError if a number of the loss is out of its range
 * @throws UsageError if the kind or an option of the loss is unknown
 */
export function attachLoss(graph: Graph, loss: LossSpec): Objective {
  switch (loss.kind) {
    case "cross-entropy":
      return attachCrossEntropy(graph, loss);
    case "next-token":
      return attachNextToken(graph, loss);
    case "mean-squared-error":
      return attachMeanSquaredError(graph, loss);
    case "output":
      return attachOutput(graph, loss);
    default:
      throw new UsageError(
        `Cannot attach a loss as its kind must be cross-entropy, next-token, mean-squared-error or output: it is ${excerpt((loss as { kind?: unknown }).kind)}`,
      );
  }
}
