import { MismatchError, type TensorInfo } from "@isthmus/core";
import type { Graph } from "./graph.ts";

/**
 * Returns the element type and concrete shape of every value of a typed graph.
 * @throws MismatchError if the graph is not typed
 */
export function typesOf(graph: Graph): ReadonlyMap<string, TensorInfo> {
  const isConcrete = graph.inputs.every(({ shape }) => shape?.every((extent) => typeof extent === "number"));
  if (graph.types !== undefined && isConcrete) return graph.types;
  throw new MismatchError(
    `Cannot work on graph "${graph.name}" as the shapes of its values must be known: make it typed with specialize(graph, engine, { batch })`,
    { parameters: [] },
  );
}
