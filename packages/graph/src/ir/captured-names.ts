import type { Node } from "./graph.ts";

/**
 * Lists the names of the values that the subgraphs of a control-flow node read: values from around the node,
 * and values that the subgraphs compute. The list is empty for other nodes.
 */
export function capturedNames(node: Node): string[] {
  const names: string[] = [];
  for (const attribute of node.attributes.values()) {
    if (attribute.type !== "graph") continue;
    for (const inner of attribute.value.nodes) names.push(...inner.inputs, ...capturedNames(inner));
    names.push(...attribute.value.outputs.map(({ name }) => name));
  }
  return names;
}
