import type { DataSet } from "../data-set.ts";
import type { Graph } from "../ir/graph.ts";
import { canBeLogits, fittingOutputs } from "./choose-output.ts";
import { findProbabilities } from "./find-probabilities.ts";

/**
 * Says in full sentences which value of a graph is scored on a data set, if that is not plain: one of several
 * outputs, or what a softmax reads. The list is empty for a graph that returns logits alone, and for data
 * without classes.
 */
export function describeScoring(graph: Graph, data: DataSet): string[] {
  const named = graph.outputs.filter(({ name }) => name === graph.scored);
  const [output, ...unsettled] = graph.scored === undefined ? fittingOutputs(graph, data) : named;
  if (output === undefined || unsettled.length > 0 || data.labelling === "none") return [];
  const { name } = output;
  const others = graph.outputs.filter((other) => other !== output && canBeLogits(other));
  const lines: string[] = [];
  if (others.length > 0 && graph.scored === undefined) {
    lines.push(
      `Output "${name}" is scored; --logits chooses another: ${others.map((other) => other.name).join(", ")}.`,
    );
  }
  const probabilities = findProbabilities(graph, output);
  if (probabilities?.operator === "Softmax" && probabilities.overClasses !== false) {
    lines.push(
      `Output "${name}" is made by Softmax: "${probabilities.input}", which it is made of, is scored, as the cross-entropy applies softmax itself.`,
    );
  }
  return lines;
}
