import type { Node } from "./graph.ts";

/** Returns the name of an input of a node; `""` for an optional input that the node leaves out. */
export function inputName({ inputs }: Pick<Node, "inputs">, index: number): string {
  const name = inputs[index];
  return name === undefined ? "" : name;
}
