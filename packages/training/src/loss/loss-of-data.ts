import { type DataSet, type Graph, logitsOf, planFeeds } from "@isthmus/graph";
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
 * @throws InputError if the data do not fit the graph
 */
export function lossOfData(
  graph: Graph,
  data: DataSet,
  {
    kind = usualKind(graph, data),
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
    return describeLoss(attempt, { graph, data }, { kind: usualKind(graph, data), labelSmoothing });
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
  const smoothed = labelSmoothing === undefined ? {} : { labelSmoothing };
  return { kind, ...named, ...smoothed, ...(skipsLabels(data) ? { weighted: true } : {}) };
}

/** Returns the kind of loss that networks of a graph are evaluated by. */
function usualKind(graph: Graph, { labelling = "example" }: DataSet): "cross-entropy" | "next-token" {
  const shape = graph.outputs.find(({ name }) => name === logitsOf(graph))?.shape;
  if (labelling !== "example") return labelling === "next" ? "next-token" : "cross-entropy";
  return shape?.length === 3 ? "next-token" : "cross-entropy";
}

/** Returns whether positions are labelled and some of these labels do not count. */
function skipsLabels(data: DataSet): boolean {
  if (data.labelling === undefined || data.labelling === "example") return false;
  return data.read(0, data.size).labels.some((label) => label < 0);
}
