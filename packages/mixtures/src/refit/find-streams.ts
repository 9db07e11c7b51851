import { at, UnsupportedError } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import type { Router } from "../routers/find-routers.ts";

/** Values around the experts of one layer, in the graph of a mixture. */
export interface LayerStreams {
  /** Residual stream to which the experts add, `[tokens, width]`. */
  readonly before: string;
  /** Residual stream with what the experts add. */
  readonly after: string;
  /** Hidden units of each expert, which its last matrix reads, `[tokens, hidden]`. */
  readonly units: readonly string[];
  /** Name of the last matrix of each expert, `[width, hidden]`. */
  readonly downs: readonly string[];
}

/**
 * Finds the residual stream around the experts of a layer: the first sum of what follows from the weights of
 * experts and of something that does not.
 * @throws UnsupportedError if there is no such sum, or the last step of an expert is no product with a matrix
 */
export function findStreams(graph: Graph, { layer, shares, results }: Router): LayerStreams {
  const lasts = results.map((result) => graph.nodes.find(({ outputs }) => outputs.includes(result)));
  const following = new Set([shares]);
  for (const { op, inputs, outputs } of graph.nodes) {
    if (!inputs.some((name) => following.has(name))) continue;
    const before = op === "Add" ? inputs.find((name) => !following.has(name)) : undefined;
    for (const name of outputs) following.add(name);
    if (before === undefined) continue;
    const matrices = lasts.filter((node) => node?.op === "Gemm" && node.inputs.length === 2);
    if (matrices.length !== results.length) break;
    const units = matrices.map((node) => at(node?.inputs ?? [], 0, "input"));
    const downs = matrices.map((node) => at(node?.inputs ?? [], 1, "weight"));
    return { before, after: at(outputs, 0, "output"), units, downs };
  }
  throw new UnsupportedError(
    `Cannot fit the experts of "${layer}" as their last step must be a product with a matrix without bias, and their sum must be added to the residual stream: this layer is built otherwise`,
    { feature: "experts" },
  );
}
