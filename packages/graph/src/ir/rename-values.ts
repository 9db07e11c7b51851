import type { Attribute, Graph, Node } from "./graph.ts";

/**
 * Renames values wherever nodes read them, in branches and loop bodies, too, and where they are outputs of the graph. Who computes
 * them is left as it is: the new names must be made elsewhere.
 *
 * @param names - new name by name; values that are not in it keep theirs
 */
function renameUses(graph: Graph, names: ReadonlyMap<string, string>): Graph {
  return names.size === 0 ? graph : { ...graph, nodes: graph.nodes.map((node) => renameInputs(node, names)) };
}

/** Renames what one node reads. */
export function renameInputs(node: Node, names: ReadonlyMap<string, string>): Node {
  const attributes = new Map(
    [...node.attributes].map(([name, attribute]): [string, Attribute] => [
      name,
      attribute.type === "graph" ? { ...attribute, value: renameInside(attribute.value, names) } : attribute,
    ]),
  );
  return { ...node, attributes, inputs: node.inputs.map((name) => names.get(name) ?? name) };
}

/** Renames what a branch or a loop body reads from around it; names of its own hide those outside. */
function renameInside(body: Graph, names: ReadonlyMap<string, string>): Graph {
  const hidden = new Set([
    ...body.inputs.map(({ name }) => name),
    ...body.constants.keys(),
    ...body.nodes.flatMap(({ outputs }) => outputs),
  ]);
  const visible = new Map([...names].filter(([name]) => !hidden.has(name)));
  const renamed = renameUses(body, visible);
  return {
    ...renamed,
    outputs: body.outputs.map((output) => ({ ...output, name: visible.get(output.name) ?? output.name })),
  };
}
