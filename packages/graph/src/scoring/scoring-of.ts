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

/** Scoring of the networks of a graph on a data set. */
export interface Scoring extends FoundLogits {
  /** Kind of the loss by which networks are scored. */
  readonly loss: LossKind;
  /** Names of the other outputs that could be scored by their types. */
  readonly others: readonly string[];
}

/**
 * Determines the scoring of networks of an architecture on a data set: the loss, and the value of the graph
 * that contains the logits. If the graph ends in a softmax, or in a sigmoid and the loss is the binary
 * cross-entropy, its input is scored; an output from which another one is computed is left out. A function
 * scores all outputs, and losses of several outputs score those outputs; the first one is returned.
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

/** Finds logits of classes; determines the types of all values if this is necessary. */
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
