import { UsageError } from "@isthmus/core";
import {
  assertLabelled,
  chooseOutput,
  classAxisOf,
  type DataSet,
  type Graph,
  isElementwise,
  type LossKind,
  type LossName,
  lossOf,
  planFeeds,
} from "@isthmus/graph";
import type { CrossEntropyLoss, LossSpec, NextTokenLoss, NumbersLoss, UsualLoss } from "./loss-spec.ts";

/** A loss that needs nothing but examples and their labels. */
export type LabelledLoss = CrossEntropyLoss | NextTokenLoss | NumbersLoss;

/**
 * Completes a loss from a graph and its data: which input takes the examples, and whether some labels do not
 * count.
 *
 * Without a kind, the loss is the one networks are evaluated by, as `lossOf` of `@isthmus/graph` decides:
 * cross-entropy, of each position or pixel if these are labelled; for token ids the cross-entropy of the next
 * token; for labels that are no classes that of numbers.
 * @throws UsageError if networks are evaluated by a loss that none are trained by, such as a function
 * @throws InputError if the data do not fit the graph, or have no classes as labels where the loss needs them
 */
export function lossOfData(
  graph: Graph,
  data: DataSet,
  {
    kind = lossOf(graph, data, "attach a loss").kind,
    labelSmoothing,
  }: { readonly kind?: LossKind; readonly labelSmoothing?: number | undefined } = {},
): LabelledLoss {
  return describeLoss("attach a loss", { graph, data }, { kind, labelSmoothing });
}

/**
 * Completes the loss of a training as {@link lossOfData} does: what the loss says itself stays, and a loss
 * that the graph computes is returned as it is.
 * @param attempt - what is attempted, for messages
 * @throws InputError if the data do not fit the graph
 */
export function completeLoss(
  attempt: string,
  { graph, data }: { readonly graph: Graph; readonly data: DataSet },
  named: LossSpec | UsualLoss | LossName = {},
): LossSpec {
  const loss = typeof named === "string" ? describeLoss(attempt, { graph, data }, { kind: named }) : named;
  if (loss.kind === undefined) {
    const { labelSmoothing } = loss;
    return describeLoss(
      attempt,
      { graph, data },
      { kind: lossOf(graph, data, attempt).kind, labelSmoothing },
    );
  }
  // A loss of an unknown kind is refused later, when it is attached.
  const { kind } = loss;
  if (kind !== "cross-entropy" && kind !== "next-token" && !isElementwise(kind)) return loss;
  return { ...describeLoss(attempt, { graph, data }, { kind }), ...loss } as LossSpec;
}

function describeLoss(
  attempt: string,
  { graph, data }: { readonly graph: Graph; readonly data: DataSet },
  { kind, labelSmoothing }: { readonly kind: LossKind; readonly labelSmoothing?: number | undefined },
): LabelledLoss {
  const { examples } = planFeeds(attempt, graph, data, 1);
  const named = graph.inputs.length > 1 ? { examples } : {};
  if (kind === "none" || kind === "function" || kind === "several") throw notTrained(attempt, graph, kind);
  const output = graph.outputs.length > 1 ? chooseOutput(attempt, { ...graph, loss: kind }, data) : undefined;
  if (isElementwise(kind)) return { kind, ...(output && { prediction: output.name }), ...named };
  assertLabelled(attempt, data);
  const scored = output && { logits: output.name };
  const smoothed = labelSmoothing === undefined ? {} : { labelSmoothing };
  const weighted = skipsLabels(data) && { weighted: true };
  if (kind === "next-token") return { kind, ...scored, ...named, ...smoothed, ...weighted };
  const { shape } = output ?? chooseOutput(attempt, graph, data);
  const pixels = data.labelling === "pixel" && { classAxis: classAxisOf("pixels", shape, data) };
  return { kind: "cross-entropy", ...scored, ...named, ...smoothed, ...weighted, ...pixels };
}

/** Says why networks are not trained by some kinds of losses, and what to do. */
const NOT_TRAINED = {
  function: "a function has no gradients",
  several:
    "it is the sum over several; name one, or let the graph compute the sum and name it by kind output",
  none: "nothing would be minimised",
};

function notTrained(attempt: string, graph: Graph, kind: keyof typeof NOT_TRAINED): UsageError {
  return new UsageError(
    `Cannot ${attempt} by the loss ${kind} of graph "${graph.name}" as networks are trained by a loss of one output: ${NOT_TRAINED[kind]}`,
  );
}

/** Returns whether positions are labelled and some of these labels do not count. */
function skipsLabels(data: DataSet): boolean {
  if (data.labelling === undefined || data.labelling === "example") return false;
  return data.read(0, data.size).labels.some((label) => label < 0);
}
