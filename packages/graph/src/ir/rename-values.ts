import type { Attribute, Graph, Node } from "./graph.ts";

/**
 * Renames values wherever nodes read them, in branches and loop bodies, too. The nodes that compute the
 * values stay unchanged: values of the new names must be computed elsewhere.
 *
 * @param names - new name by former name; other values keep their names
 */
function renameUses(graph: Graph, names: ReadonlyMap<string, string>): Graph {
  return names.size === 0 ? graph : { ...graph, nodes: graph.nodes.map((node) => renameInputs(node, names)) };
}

/** Renames the values that one node reads. */
export function renameInputs(node: Node, names: ReadonlyMap<string, string>): Node {
  const attributes = new Map(
    [...node.attributes].map(([name, attribute]): [string, Attribute] => [
      name,
      attribute.type === "graph" ? { ...attribute, value: renameInside(attribute.value, names) } : attribute,
    ]),
  );
  return { ...node, attributes, inputs: node.inputs.map((name) => names.get(name) ?? name) };
}

/**
 * Renames the values that a branch or a loop body reads from around it; its own values hide
 * outer values of the same name.
 */
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
