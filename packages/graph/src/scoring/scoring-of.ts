import { InputError } from "@isthmus/core";
import type { Architecture } from "../architecture.ts";
import type { DataSet } from "../data-set.ts";
import { planFeeds } from "../feeding/plan-feeds.ts";
import type { Graph } from "../ir/graph.ts";
import { specialize } from "../probe/specialize.ts";
import { canBeScored, chooseOutput, formOf } from "./choose-output.ts";
import { isElementwise } from "./elementwise-losses.ts";
import { type FoundLogits, findLogits, findNumbers, needsTypes } from "./find-logits.ts";
import { lossOf } from "./loss-of.ts";
import { LOSSES, type LossKind } from "./losses.ts";

/** How the networks of a graph are scored on a data set. */
export interface Scoring extends FoundLogits {
  readonly loss: LossKind;
  /** Names of the other outputs that could be scored by their types. */
  readonly others: readonly string[];
}

/**
 * Decides how networks of an architecture are scored on a data set: by which loss, and which value of the
 * graph holds the logits. A softmax at the end of the graph is seen through, and a sigmoid if the loss is the
 * binary cross-entropy; an output that another one is computed from is left out. For a function all outputs
 * are scored, and for losses of several outputs those; the first one is returned.
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
 * @throws InputError if the labels do not fit the output, several outputs fit equally well, the loss cannot
 *   be computed from the output, or the loss is `none`
 */
export async function scoringOf(
  attempt: string,
  { graph, engine }: Architecture,
  data: DataSet,
): Promise<Scoring> {
  const { kind: loss } = lossOf(graph, data, attempt);
  assertScored(attempt, graph, loss);
  if (loss === "function" || loss === "several") return { loss, ...wholeOutput(attempt, graph), others: [] };
  const form = formOf({ ...graph, loss }, data);
  const scored = isElementwise(loss)
    ? findNumbers(attempt, graph, { data, loss })
    : await findTypedLogits(attempt, { graph, engine }, data);
  const fitting = graph.outputs.filter((output) => canBeScored(output, form));
  const others = fitting.flatMap(({ name }) => (name === scored.output.name ? [] : [name]));
  return { loss, ...scored, others };
}

/** Finds logits of classes, with the types of all values if they cannot be found without. */
async function findTypedLogits(
  attempt: string,
  { graph, engine }: Architecture,
  data: DataSet,
): Promise<FoundLogits> {
  const { types } = needsTypes(attempt, graph, data)
    ? await specialize({ graph, engine }, { batch: 2, extents: planFeeds(attempt, graph, data, 2).extents })
    : graph;
  return findLogits(attempt, graph, { data, ...(types && { types }) });
}

function wholeOutput(attempt: string, graph: Graph): FoundLogits {
  const output = chooseOutput(attempt, { ...graph, outputs: graph.outputs.slice(0, 1) });
  return { graph, output, logits: output.name, operator: undefined };
}

function assertScored(attempt: string, graph: Graph, loss: LossKind): void {
  if (loss !== "none") return;
  const names = LOSSES.flatMap(({ name }) => (name === "none" ? [] : [name]));
  throw new InputError(
    `Cannot ${attempt} with graph "${graph.name}" by the loss none as nothing would be measured: name one of ${names.join(", ")}, or give a function in a script; similarity, activations and the statistics of norms need none`,
    { input: graph.name },
  );
}
