import { InputError } from "@isthmus/core";
import type { Graph } from "./graph.ts";

/** Lists the names of all outputs of the file of a graph, whether they count or not. */
export function returnedNames({ outputs, uncounted = [] }: Pick<Graph, "outputs" | "uncounted">): string[] {
  return [...outputs.map(({ name }) => name), ...uncounted];
}

/**
 * Restricts the function of a graph to some of its outputs. Nodes and weights that only compute other outputs
 * are kept, so that units are permuted in them as well; the order of the units of these outputs is then free.
 *
 * @param names - outputs that count; they keep the order of the graph
 * @throws InputError if the graph has no output of that name; the message lists the outputs
 */
export function restrictOutputs(graph: Graph, names: readonly string[]): Graph {
  const outputs = graph.outputs.filter(({ name }) => names.includes(name));
  const missing = names.find((name) => !outputs.some((output) => output.name === name));
  if (missing === undefined && outputs.length > 0) {
    const others = graph.outputs.filter((output) => !outputs.includes(output)).map(({ name }) => name);
    return others.length === 0 ? graph : { ...graph, outputs, uncounted: others };
  }
  const listed = graph.outputs.map(({ name }) => `"${name}"`).join(", ");
  const [wrong, rule] =
    missing === undefined
      ? ["no output", "there must be at least one"]
      : [`output "${missing}"`, "it must be one of its outputs"];
  throw new InputError(`Cannot count ${wrong} of graph "${graph.name}" as ${rule}: they are ${listed}`, {
    input: missing ?? graph.name,
  });
}
