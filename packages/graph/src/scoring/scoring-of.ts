import { InputError } from "@isthmus/core";
import type { Architecture } from "../architecture.ts";
import type { DataSet } from "../data-set.ts";
import { planFeeds } from "../feeding/plan-feeds.ts";
import type { Graph } from "../ir/graph.ts";
import { specialize } from "../probe/specialize.ts";
import { canBeLogits, chooseOutput } from "./choose-output.ts";
import { type FoundLogits, findLogits, needsTypes } from "./find-logits.ts";

/**
 * Loss that networks are evaluated by, in nats: `cross-entropy` of the class of each example or position, or
 * `next-token`, the cross-entropy of each token from those before it.
 */
export type ScoringLoss = "cross-entropy" | "next-token";

/** How the networks of a graph are scored on a data set. */
export interface Scoring extends FoundLogits {
  readonly loss: ScoringLoss;
  /** Names of the other outputs that could be logits by their types. */
  readonly others: readonly string[];
}

/**
 * Returns the loss by which networks of a graph are evaluated on a data set.
 * @param attempt - name of the attempt for messages, for example `evaluate`
 * @throws InputError if the data have no classes as labels, or no output can be chosen
 */
export function scoringLoss(attempt: string, graph: Graph, data: DataSet): ScoringLoss {
  assertLabelled(attempt, data);
  const { labelling = "example" } = data;
  if (labelling !== "example") return labelling === "next" ? "next-token" : "cross-entropy";
  return chooseOutput(attempt, graph, data).shape?.length === 3 ? "next-token" : "cross-entropy";
}

/**
 * Decides how networks of an architecture are scored on a data set: by which loss, and which value of the
 * graph holds the logits. A softmax at the end of the graph is seen through, and an output that another one
 * is computed from is left out.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { scoringOf } from "@isthmus/graph";
 * import { createOnnxRuntimeEngine, openArchitecture, openDataSet } from "isthmus";
 *
 * const architecture = await openArchitecture("examples/mnist-mlp/graph.onnx", createOnnxRuntimeEngine());
 * const { loss, operator } = await scoringOf("evaluate", architecture, await openDataSet("mnist:test@10"));
 * assert.deepEqual([loss, operator], ["cross-entropy", undefined]); // the graph returns logits itself
 * ```
 * @param attempt - name of the attempt for messages, for example `evaluate`
 * @throws InputError if the data have no classes as labels, several outputs fit equally well, or the output
 *   is not one that the cross-entropy of classes can be computed from
 */
export async function scoringOf(
  attempt: string,
  { graph, engine }: Architecture,
  data: DataSet,
): Promise<Scoring> {
  const loss = scoringLoss(attempt, graph, data);
  const { types } = needsTypes(attempt, graph, data)
    ? await specialize({ graph, engine }, { batch: 2, extents: planFeeds(attempt, graph, data, 2).extents })
    : graph;
  const scored = findLogits(attempt, graph, { data, ...(types && { types }) });
  const others = graph.outputs.filter((output) => canBeLogits(output) && output.name !== scored.output.name);
  return { loss, ...scored, others: others.map(({ name }) => name) };
}

/**
 * Checks that a data set has classes as labels.
 * @throws InputError if it has none, or labels of another kind; it says which
 */
export function assertLabelled(
  attempt: string,
  { name, labelling, unlabelled = "it has no labels" }: DataSet,
): void {
  if (labelling !== "none") return;
  throw new InputError(
    `Cannot ${attempt} on "${name}" as classification alone is measured, and labels must be whole numbers, one class for each example or position: ${unlabelled}; similarity, activations and the statistics of norms need no labels`,
    { input: name },
  );
}
