import type { Attribute, Graph, Node } from "./graph.ts";
import { inputName } from "./input-name.ts";

/** Operators that make a sequence of tensors. */
const MAKE_SEQUENCES: ReadonlySet<string> = new Set(
  "SequenceConstruct SequenceEmpty SequenceErase SequenceInsert SequenceMap SplitToSequence".split(" "),
);

/** Checks whether a node makes a sequence of tensors. */
export function isSequenceOperator({ op, domain }: Node): boolean {
  return domain === "" && MAKE_SEQUENCES.has(op);
}

/**
 * Finds the values of a graph that are sequences of tensors rather than tensors, by name: results of
 * operators on sequences, also if branches and loops return them. Such values cannot be outputs of a graph
 * that an engine runs.
 */
export function sequenceValues(graph: Graph): ReadonlySet<string> {
  const sequences = new Set<string>();
  addSequences(graph, sequences);
  return sequences;
}

function addSequences({ nodes }: Pick<Graph, "nodes">, sequences: Set<string>): void {
  for (const node of nodes) {
    const [output] = node.outputs;
    const passes = node.op === "Identity" && sequences.has(inputName(node, 0));
    if (output !== undefined && (isSequenceOperator(node) || passes)) sequences.add(output);
    for (const attribute of node.attributes.values()) addReturned(node, attribute, sequences);
  }
}

/**
 * Adds the sequences that a branch or a loop's body returns; a body also takes values that
 * it carries from step to step.
 */
function addReturned(node: Node, attribute: Attribute, sequences: Set<string>): void {
  if (attribute.type !== "graph") return;
  const body = attribute.value;
  // A loop's body takes the step and a condition first, and returns a condition first.
  const [taken, returned] = node.op === "Loop" ? [2, 1] : [0, 0];
  if (node.op === "Loop") {
    body.inputs.slice(taken).forEach(({ name }, i) => {
      if (sequences.has(inputName(node, i + taken))) sequences.add(name);
    });
  }
  addSequences(body, sequences);
  body.outputs.slice(returned).forEach(({ name }, i) => {
    const output = node.outputs[i];
    if (output !== undefined && sequences.has(name)) sequences.add(output);
  });
}
