import type { DataSet } from "../data-set.ts";
import type { Graph } from "../ir/graph.ts";
import { canBeScored, classAxisOf, fittingOutputs, formOf } from "./choose-output.ts";
import { isElementwise } from "./elementwise-losses.ts";
import { findProbabilities } from "./find-probabilities.ts";

/**
 * Describes in full sentences which value of a graph is scored on a data set, if this is not obvious: one of
 * several outputs, or the input of a softmax or a sigmoid. The list is empty for a graph that returns only
 * logits, and for data without labels.
 */
export function describeScoring(graph: Graph, data: DataSet): string[] {
  const named = graph.outputs.filter(({ name }) => name === graph.scored);
  const [output, ...unsettled] = graph.scored === undefined ? fittingOutputs(graph, data) : named;
  const isScored = data.labelling !== "none" || data.targets !== undefined || isElementwise(graph.loss);
  if (output === undefined || unsettled.length > 0 || !isScored) return [];
  const { name, shape } = output;
  const form = formOf(graph, data);
  const others = graph.outputs.filter((other) => other !== output && canBeScored(other, form));
  const lines: string[] = [];
  if (others.length > 0 && graph.scored === undefined) {
    lines.push(
      `Output "${name}" is scored; --logits chooses another: ${others.map((other) => other.name).join(", ")}.`,
    );
  }
  const probabilities = findProbabilities(graph, output, { classAxis: classAxisOf(form, shape, data) });
  if (form !== "numbers" && probabilities?.operator === "Softmax" && probabilities.overClasses !== false) {
    lines.push(
      `Output "${name}" is made by Softmax: "${probabilities.input}", which it is made of, is scored, as the cross-entropy applies softmax itself.`,
    );
  }
  if (graph.loss === "binary-cross-entropy" && probabilities?.operator === "Sigmoid") {
    lines.push(
      `Output "${name}" is made by Sigmoid: "${probabilities.input}", which it is made of, is scored, as the binary cross-entropy applies sigmoid itself.`,
    );
  }
  return lines;
}
