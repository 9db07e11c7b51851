import type { Node } from "@isthmus/graph";
import type { GraphBuilder, Value } from "@isthmus/graph/builder";

/** Output of a node that is replaced. */
export interface ReplacedOutput {
  /** Node that is replaced; the new node is named after it. */
  readonly node: Node;
  /** Name of its output, which the new value takes over. */
  readonly name: string;
  /** Position of the output among the outputs of the node. */
  readonly output: number;
}

/** Gives a value the name of an output of a node that it replaces, by an `Identity` named after the node. */
export function adoptAs(builder: GraphBuilder, value: Value, { node, name, output }: ReplacedOutput): void {
  builder.adopt({
    name: output === 0 ? node.name : `${node.name}:${output}`,
    op: "Identity",
    domain: "",
    inputs: [value.name],
    outputs: [name],
    attributes: new Map(),
  });
}
