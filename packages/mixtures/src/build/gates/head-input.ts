import { at, InvariantError } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";

/**
 * Finds the value that the head of a language model reads: its last hidden states, after the last norm.
 * @returns name of the value, `[tokens, width]`
 */
export function findHeadInput(graph: Graph): string {
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
  let maker = makers.get(at(graph.outputs, 0, "output").name);
  // Logits are reshaped, and in some families scaled and bounded, after the product.
  while (maker !== undefined && maker.op !== "Gemm" && maker.op !== "MatMul")
    maker = makers.get(at(maker.inputs, 0, "input"));
  const rows = maker?.inputs[0];
  if (rows === undefined) throw new InvariantError("A language model has no product with its head");
  return rows;
}
