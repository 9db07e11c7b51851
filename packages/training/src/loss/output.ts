import { formatShape, MismatchError, resolveOptions, sizeOf } from "@isthmus/core";
import type { Graph, ValueInfo } from "@isthmus/graph";
import { GraphBuilder } from "@isthmus/graph/builder";
import type { Objective } from "../objective.ts";
import { outputOf, typeOf } from "./find-values.ts";
import type { OutputLoss } from "./loss-spec.ts";

/** Takes a scalar that a graph computes itself as its loss. It has no metrics. */
export function attachOutput(graph: Graph, loss: OutputLoss): Objective {
  const { kind: _, output: name, examples: examplesName, targets: targetsName, ...rest } = loss;
  resolveOptions("attach a loss", {}, rest);
  const builder = GraphBuilder.from(graph);
  const output = outputOf(graph, builder, name);
  if (sizeOf(output.shape) !== 1) {
    throw new MismatchError(
      `Cannot minimise "${name}" of graph "${graph.name}" as a loss must be one number: it is ${formatShape(output.shape)}; reduce it first`,
      { parameters: [] },
    );
  }
  const [first, second] = graph.inputs;
  // An empty name is no data input's, and is refused below.
  const examples = examplesName ?? first?.name ?? "";
  const targets = targetsName ?? second?.name ?? examples;
  const outputs = graph.outputs.map((value) => builder.value(value.name));
  return {
    graph: builder.build(outputs.some((value) => value.name === name) ? outputs : [...outputs, output]),
    loss: name,
    examples: inputOf(graph, examples).name,
    targets: inputOf(graph, targets),
    metrics: new Map(),
  };
}

function inputOf(graph: Graph, name: string): ValueInfo {
  const names = graph.inputs.map((input) => input.name);
  if (names.includes(name)) return { name, ...typeOf(graph, name) };
  throw new MismatchError(
    `Cannot feed graph "${graph.name}" by "${name}" as that must be a data input: it has ${names.map((input) => `"${input}"`).join(", ") || "none"}`,
    { parameters: [] },
  );
}
