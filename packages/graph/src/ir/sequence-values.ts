import type { Attribute, Graph, Node } from "./graph.ts";

/** Operators that make a sequence of tensors. */
const MAKE_SEQUENCES: ReadonlySet<string> = new Set(
  "SequenceConstruct SequenceEmpty SequenceErase SequenceInsert SequenceMap SplitToSequence".split(" "),
);

/** Tells whether a node makes a sequence of tensors. */
export function isSequenceOperator({ op, domain }: Node): boolean {
  return domain === "" && MAKE_SEQUENCES.has(op);
}

/**
 * Finds the values of a graph that are sequences of tensors and not tensors, by name: what operators on sequences make, and what
 * branches and loops return of it. Such values cannot be outputs of a graph that an engine runs.
 */
export function sequenceValues(graph: Graph): ReadonlySet<string> {
  const found = new Set<string>();
  addSequences(graph, found);
  return found;
}

function addSequences({ nodes }: Pick<Graph, "nodes">, found: Set<string>): void {
  for (const node of nodes) {
    const [output = ""] = node.outputs;
    const passes = node.op === "Identity" && found.has(node.inputs[0] ?? "");
    if (isSequenceOperator(node) || passes) found.add(output);
    for (const attribute of node.attributes.values()) addReturned(node, attribute, found);
  }
}

/** What a branch, or a loop's body, returns; a body also takes values that it carries from step to step. */
function addReturned(node: Node, attribute: Attribute, found: Set<string>): void {
  if (attribute.type !== "graph") return;
  const body = attribute.value;
  // A loop's body takes the step and a condition first, and returns a condition first.
  const [taken, returned] = node.op === "Loop" ? [2, 1] : [0, 0];
  if (node.op === "Loop") {
    body.inputs.slice(taken).forEach(({ name }, i) => {
      if (found.has(node.inputs[i + taken] ?? "")) found.add(name);
    });
  }
  addSequences(body, found);
  body.outputs.slice(returned).forEach(({ name }, i) => {
    if (found.has(name)) found.add(node.outputs[i] ?? "");
  });
}
