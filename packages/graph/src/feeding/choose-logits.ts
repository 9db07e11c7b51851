import { InputError } from "@isthmus/core";
import type { Graph, ValueInfo } from "../ir/graph.ts";

/**
 * Lists the outputs of a graph whose types allow logits, f32 `[examples, classes]` or
 * `[examples, length, classes]`, in the graph's order.
 */
export function logitsCandidates({ outputs }: Pick<Graph, "outputs">): string[] {
  return outputs.filter(canBeLogits).map(({ name }) => name);
}

function canBeLogits({ dtype, shape }: ValueInfo): boolean {
  const rank = shape?.length;
  return (dtype === undefined || dtype === "f32") && (rank === undefined || rank === 2 || rank === 3);
}

/**
 * Returns the name of the output of a graph that is scored: the first that can be logits, else the
 * first; `""` if it has no outputs.
 */
export function logitsOf(graph: Pick<Graph, "outputs">): string {
  return logitsCandidates(graph)[0] ?? graph.outputs[0]?.name ?? "";
}

/**
 * Makes an output of a graph the scored output, by moving it before all others.
 *
 * @throws InputError if the graph has no output of that name, or it cannot be logits; it lists the outputs
 */
export function scoreOutput(graph: Graph, name: string): Graph {
  const chosen = graph.outputs.find((output) => output.name === name);
  if (chosen !== undefined && canBeLogits(chosen)) {
    return { ...graph, outputs: [chosen, ...graph.outputs.filter((output) => output !== chosen)] };
  }
  const rule =
    chosen === undefined
      ? "it must be one of its outputs"
      : "it must be f32 logits [examples, classes] or [examples, length, classes]";
  throw new InputError(
    `Cannot score output "${name}" of graph "${graph.name}" as ${rule}: they are ${graph.outputs.map(describeValue).join(", ")}`,
    { input: name },
  );
}

/** Describes a value with its type for messages, as in `"ids" (i64 [batch, 8])`. */
export function describeValue({ name, dtype, shape }: ValueInfo): string {
  const type = [dtype, shape && `[${shape.join(", ")}]`].filter((part) => part !== undefined).join(" ");
  return type === "" ? `"${name}"` : `"${name}" (${type})`;
}
