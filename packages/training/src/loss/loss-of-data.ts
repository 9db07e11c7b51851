import {
  assertLabelled,
  chooseOutput,
  type DataSet,
  type Graph,
  planFeeds,
  scoringLoss,
} from "@isthmus/graph";
import type {
  CrossEntropyLoss,
  LossSpec,
  MeanSquaredErrorLoss,
  NextTokenLoss,
  UsualLoss,
} from "./loss-spec.ts";

/** A loss that needs nothing but examples and their labels. */
export type LabelledLoss = CrossEntropyLoss | NextTokenLoss | MeanSquaredErrorLoss;

/**
 * Completes a loss from a graph and its data: which input takes the examples, and whether some labels do not
 * count.
 *
 * Without a kind, the loss is the one networks are evaluated by: cross-entropy, of each position if positions
 * are labelled; for token ids the cross-entropy of the next token.
 * @throws InputError if the data do not fit the graph, or have no classes as labels where the loss needs them
 */
export function lossOfData(
  graph: Graph,
  data: DataSet,
  {
    kind = scoringLoss("attach a loss", graph, data),
    labelSmoothing,
  }: Partial<Pick<LabelledLoss, "kind">> & { readonly labelSmoothing?: number | undefined } = {},
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
  loss: LossSpec | UsualLoss = {},
): LossSpec {
  if (loss.kind === undefined) {
    const { labelSmoothing } = loss;
    return describeLoss(
      attempt,
      { graph, data },
      { kind: scoringLoss(attempt, graph, data), labelSmoothing },
    );
  }
  // A loss of an unknown kind is refused later, when it is attached.
  if (!LABELLED.includes(loss.kind)) return loss;
  const { kind } = loss as LabelledLoss;
  return { ...describeLoss(attempt, { graph, data }, { kind, labelSmoothing: undefined }), ...loss };
}

const LABELLED: readonly LossSpec["kind"][] = ["cross-entropy", "next-token", "mean-squared-error"];

function describeLoss(
  attempt: string,
  { graph, data }: { readonly graph: Graph; readonly data: DataSet },
  { kind, labelSmoothing }: Pick<LabelledLoss, "kind"> & { readonly labelSmoothing: number | undefined },
): LabelledLoss {
  const { examples } = planFeeds(attempt, graph, data, 1);
  const named = graph.inputs.length > 1 ? { examples } : {};
  if (kind === "mean-squared-error") return { kind, ...named };
  assertLabelled(attempt, data);
  const scored = graph.outputs.length > 1 ? { logits: chooseOutput(attempt, graph, data).name } : {};
  const smoothed = labelSmoothing === undefined ? {} : { labelSmoothing };
  return { kind, ...scored, ...named, ...smoothed, ...(skipsLabels(data) ? { weighted: true } : {}) };
}

/** Returns whether positions are labelled and some of these labels do not count. */
function skipsLabels(data: DataSet): boolean {
  if (data.labelling === undefined || data.labelling === "example") return false;
  return data.read(0, data.size).labels.some((label) => label < 0);
}
