import { entry, UsageError } from "@isthmus/core";
import {
  assertLabelled,
  chooseOutput,
  classAxisOf,
  type DataSet,
  type Graph,
  isElementwise,
  isNamedLoss,
  type LossesOfOutputs,
  type LossKind,
  type LossName,
  lossOf,
  lossOfOutput,
  lossParts,
  type NamedLoss,
  planFeeds,
  scoreBy,
} from "@isthmus/graph";
import type {
  CrossEntropyLoss,
  LossSpec,
  NextTokenLoss,
  NumbersLoss,
  SeveralLoss,
  UsualLoss,
} from "./loss-spec.ts";

/** A loss that needs nothing but examples and their labels. */
export type LabelledLoss = CrossEntropyLoss | NextTokenLoss | NumbersLoss | SeveralLoss;

/**
 * Completes a loss from a graph and its data: by the input that takes the examples, and by whether some
 * labels do not count.
 *
 * Without a kind, the loss is the one networks are evaluated by, as `lossOf` of `@isthmus/graph` decides:
 * cross-entropy, of each position or pixel if these are labelled; for token ids the cross-entropy of the next
 * token; for labels that are no classes the loss of numbers.
 * @throws UsageError if networks are evaluated by a loss that they cannot be trained by, such as a function
 * @throws InputError if the data do not fit the graph, or have no classes as labels although the loss needs
 *   them
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
 * Completes the loss of a training as {@link lossOfData} does: fields that the loss has are kept, and a loss
 * that the graph computes is returned unchanged.
 * @param attempt - action that messages name
 * @throws InputError if the data do not fit the graph
 */
export function completeLoss(attempt: string, { graph, data }: Described, named: TrainedLoss = {}): LossSpec {
  if (typeof named === "string") return describeLoss(attempt, { graph, data }, { kind: named });
  if (isOfOutputs(graph, named)) return describeSeveral(attempt, { graph, data }, named);
  if (named.kind === undefined) {
    const { labelSmoothing } = named;
    return describeLoss(
      attempt,
      { graph, data },
      { kind: lossOf(graph, data, attempt).kind, labelSmoothing },
    );
  }
  const { kind } = named;
  if (kind === "several") return { ...describeSeveral(attempt, { graph, data }, named.outputs), ...named };
  // A loss of an unknown kind is refused when it is attached.
  if (kind !== "cross-entropy" && kind !== "next-token" && !isElementwise(kind)) return named;
  return { ...describeLoss(attempt, { graph, data }, { kind }), ...named } as LossSpec;
}

/** Loss of a training: a full description, a name, or one name for each of several outputs. */
export type TrainedLoss = LossSpec | UsualLoss | NamedLoss;

/**
 * Returns whether a loss names one loss for each of several outputs. A `kind` means that it is described in
 * full, unless there is an output of that name.
 */
function isOfOutputs({ outputs }: Graph, loss: Exclude<TrainedLoss, string>): loss is LossesOfOutputs {
  const areOutputs = Object.keys(loss).every((key) => outputs.some(({ name }) => name === key));
  return isNamedLoss(loss) && (areOutputs || !("kind" in loss));
}

/** Graph and data that a loss is described for. */
interface Described {
  readonly graph: Graph;
  readonly data: DataSet;
}

function describeLoss(
  attempt: string,
  { graph, data }: Described,
  { kind, labelSmoothing }: { readonly kind: LossKind; readonly labelSmoothing?: number | undefined },
): LabelledLoss {
  if (kind === "several" && typeof graph.loss === "object") {
    return describeSeveral(attempt, { graph, data }, graph.loss);
  }
  if (kind === "none" || kind === "function" || kind === "several") throw notTrained(attempt, graph, kind);
  const described = describeOutput(attempt, { graph, data }, { kind, labelSmoothing });
  return kind === "next-token" ? ({ ...described, kind } as NextTokenLoss) : described;
}

/** Describes the loss of one output; the loss of the next token has the settings of cross-entropy. */
function describeOutput(
  attempt: string,
  { graph, data }: Described,
  { kind, labelSmoothing }: { readonly kind: LossName; readonly labelSmoothing?: number | undefined },
): CrossEntropyLoss | NumbersLoss {
  const named = examplesOf(attempt, graph, data);
  const output = graph.outputs.length > 1 ? chooseOutput(attempt, { ...graph, loss: kind }, data) : undefined;
  if (isElementwise(kind)) return { kind, ...(output && { prediction: output.name }), ...named };
  assertLabelled(attempt, data);
  const scored = output && { logits: output.name };
  const smoothed = labelSmoothing === undefined ? {} : { labelSmoothing };
  const weighted = skipsLabels(data) && { weighted: true };
  const { shape } = output ?? chooseOutput(attempt, graph, data);
  const pixels = data.labelling === "pixel" && { classAxis: classAxisOf("pixels", shape, data) };
  return { kind: "cross-entropy", ...scored, ...named, ...smoothed, ...weighted, ...pixels };
}

/**
 * Completes the loss of every output like the loss of a single one, by the labels that the evaluation takes
 * for it.
 */
function describeSeveral(attempt: string, { graph, data }: Described, outputs: LossesOfOutputs): SeveralLoss {
  const scored = scoreBy(graph, outputs);
  const terms = lossParts(attempt, scored, data).map(({ name, graph: part, data: labelled }) => {
    const { loss } = lossOfOutput(entry(new Map(Object.entries(outputs)), name, "loss"));
    return [name, describeOutput(attempt, { graph: part, data: labelled }, { kind: loss })] as const;
  });
  return { kind: "several", outputs, terms: Object.fromEntries(terms), ...examplesOf(attempt, scored, data) };
}

/** Returns the name of the data input for the examples, if there are several inputs. */
export function examplesOf(attempt: string, graph: Graph, data: DataSet): { readonly examples?: string } {
  const { examples } = planFeeds(attempt, graph, data, 1);
  return graph.inputs.length > 1 ? { examples } : {};
}

/** Reasons why networks are not trained by some kinds of losses, with advice. */
const NOT_TRAINED = {
  function:
    "a function has no gradients: let the graph compute it by GraphBuilder, and name its output by { kind: output }",
  several: "each output must have a loss of its own: name them",
  none: "something must be minimised: name a loss",
};

function notTrained(attempt: string, graph: Graph, kind: keyof typeof NOT_TRAINED): UsageError {
  return new UsageError(
    `Cannot ${attempt} by the loss ${kind} of graph "${graph.name}" as ${NOT_TRAINED[kind]}`,
  );
}

/** Returns whether positions are labelled and some of these labels do not count. */
function skipsLabels(data: DataSet): boolean {
  if (data.labelling === undefined || data.labelling === "example") return false;
  return data.read(0, data.size).labels.some((label) => label < 0);
}
