import { DTYPES } from "@isthmus/core";
import type { Graph } from "./graph.ts";

/**
 * Returns the names of a graph's floating-point parameters, without running statistics: distances between
 * networks, and curvatures of their losses, are measured over these parameters.
 */
export function parameterNames({ weights }: Pick<Graph, "weights">): string[] {
  return [...weights]
    .filter(([, { role, dtype }]) => role === "parameter" && DTYPES[dtype].float)
    .map(([name]) => name);
}
