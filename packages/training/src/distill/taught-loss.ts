import { UnsupportedError } from "@isthmus/core";
import { type DataSet, type Graph, isElementwise } from "@isthmus/graph";
import { examplesOf, lossOfData } from "../loss/loss-of-data.ts";
import type { DistillationLoss } from "../loss/loss-spec.ts";

const ATTEMPT = "learn from an expert";

/**
 * Returns the loss against a teacher for a graph and its data. Data without labels are taken as examples of
 * classes, unless the graph names a loss of numbers.
 * @throws UnsupportedError if outputs have several losses, or are logits of one class each
 * @throws InputError if the data do not fit the graph
 */
export function taughtLoss(graph: Graph, data: DataSet, temperature: number): DistillationLoss {
  const of = lossOfOutput(graph, data);
  if (of.kind === "several" || of.kind === "binary-cross-entropy") {
    throw new UnsupportedError(
      `Cannot ${ATTEMPT} of graph "${graph.name}" by the loss ${of.kind} as outputs must be logits of classes or of tokens, or numbers: name such an output with --logits`,
      { feature: `distillation by ${of.kind}` },
    );
  }
  return { kind: "distillation", of, temperature };
}

/** Tells whether the output that is scored holds numbers, instead of logits of classes or tokens. */
export function areOutputsNumbers(graph: Graph, data: DataSet): boolean {
  return typeof graph.loss !== "function" && isElementwise(lossOfOutput(graph, data).kind);
}

function lossOfOutput(graph: Graph, data: DataSet): ReturnType<typeof lossOfData> {
  const isLabelled = data.labelling !== "none" || data.targets !== undefined;
  if (isLabelled) return lossOfData(graph, data);
  const kind = isElementwise(graph.loss) ? graph.loss : "cross-entropy";
  return { kind, ...examplesOf(ATTEMPT, graph, data) };
}
