import { OutOfRangeError } from "@isthmus/core";
import { capturedNames } from "./captured-names.ts";
import type { Attribute, Graph, Node } from "./graph.ts";

/** Inputs of which operators read only the shape or the element type, by operator. */
const DESCRIBED_INPUTS: ReadonlyMap<string, readonly number[]> = new Map([
  ["Shape", [0]],
  ["Size", [0]],
  ["EyeLike", [0]],
  ["CastLike", [1]],
]);

/**
 * Lists the names of the values that the results of a node depend on, including values that its branches and
 * loop bodies read. Inputs that only give a shape (`Shape`, `Size`, `EyeLike`) or an element type (the second
 * input of `CastLike`) are left out: the results do not depend on their numbers.
 */
export function valuesRead(node: Node): string[] {
  const described = node.domain === "" ? DESCRIBED_INPUTS.get(node.op) : undefined;
  const inputs = node.inputs.filter((name, i) => name !== "" && described?.includes(i) !== true);
  return [...inputs, ...capturedNames(node)];
}

/** Counts how often each value is used: by nodes, in branches and loop bodies, and as an output. */
export function countUses(graph: Graph): ReadonlyMap<string, number> {
  const uses = new Map<string, number>();
  const used = [
    ...graph.nodes.flatMap((node) => [...node.inputs, ...capturedNames(node)]),
    ...graph.outputs.map(({ name }) => name),
  ];
  for (const name of used) uses.set(name, (uses.get(name) ?? 0) + 1);
  return uses;
}

/**
 * Returns the graph with further values as outputs, after its outputs.
 * @throws OutOfRangeError if a name is neither a node's output nor an output already
 */
export function exposeValues(graph: Graph, names: readonly string[]): Graph {
  const computed = new Set(graph.nodes.flatMap((node) => node.outputs));
  const present = new Set(graph.outputs.map(({ name }) => name));
  const added: { name: string }[] = [];
  for (const name of names) {
    if (present.has(name)) continue;
    if (name === "" || !computed.has(name)) {
      throw new OutOfRangeError(
        `Cannot expose value "${name}" as no node of graph "${graph.name}" computes it`,
      );
    }
    present.add(name);
    added.push({ name });
  }
  return { ...graph, outputs: [...graph.outputs, ...added] };
}

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
