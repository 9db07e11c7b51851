import type { Attribute, Node } from "@isthmus/graph";

/** Inputs, output and attributes of a node. */
interface NodeParts {
  /** Names of its inputs; empty for one that is left out. */
  readonly inputs: readonly string[];
  /** Name of its output. */
  readonly output: string;
  /** Its attributes, by name. */
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** Creates a node that is named after its single output. */
export function makeNode(op: string, domain: string, { inputs, output, attributes }: NodeParts): Node {
  return {
    name: `${output}:node`,
    op,
    domain,
    inputs,
    outputs: [output],
    attributes: new Map(Object.entries(attributes)),
  };
}
