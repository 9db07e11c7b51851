import { at, type Tensor } from "@isthmus/core";
import { capturedNames } from "./captured-names.ts";
import type { Attribute, Graph, Node } from "./graph.ts";
import { pruneNodes } from "./prune-nodes.ts";

/**
 * Number of elements up to which constants are compared; larger constants are rarely
 * equal and slow to write out.
 */
const COMPARED_CONSTANT = 64;

/** Operators whose results differ between runs. */
const RANDOM: ReadonlySet<string> = new Set(
  "Bernoulli Dropout Multinomial RandomNormal RandomNormalLike RandomUniform RandomUniformLike".split(" "),
);

/**
 * Returns the graph with equal nodes merged into one, if they compute the same from the same inputs, and
 * equal small constants merged into one.
 *
 * @param isKept - returns whether a node must be kept, although other nodes may use its results; nodes that
 *   compute outputs of the graph are always kept. @defaultValue none
 * @param read - names of copies that nodes go on reading in place of the original @defaultValue none
 */
export function shareNodes(
  graph: Graph,
  isKept: (node: Node) => boolean = () => false,
  read: readonly string[] = [],
): Graph {
  // Subgraphs read values by name too.
  const named = new Set([...graph.outputs.map(({ name }) => name), ...graph.nodes.flatMap(capturedNames)]);
  const replaced = shareConstants(graph);
  const firstOfKey = new Map<string, Node>();
  const nodes = graph.nodes.flatMap((original) => {
    const resolved = withInputs(original, replaced);
    const key = keyOf(resolved);
    const earlier = key === undefined ? undefined : firstOfKey.get(key);
    const isFixed = isKept(original) || original.outputs.some((name) => named.has(name));
    if (earlier !== undefined && !isFixed) {
      original.outputs.forEach((name, i) => {
        replaced.set(name, at(earlier.outputs, i, "output"));
      });
      return [];
    }
    if (key !== undefined && earlier === undefined) firstOfKey.set(key, resolved);
    // Nodes that read a copy can read the original instead.
    if (isIdentity(resolved) && !resolved.outputs.some((name) => read.includes(name))) {
      replaced.set(at(resolved.outputs, 0, "output"), at(resolved.inputs, 0, "input"));
    }
    return [isKept(original) ? original : resolved];
  });
  return pruneNodes({ ...graph, nodes });
}

const isIdentity = ({ op, domain }: Node): boolean => op === "Identity" && domain === "";

/** Maps each constant that equals an earlier one to the name of the earlier one. */
function shareConstants({ constants }: Graph): Map<string, string> {
  const names = new Map<string, string>();
  const replaced = new Map<string, string>();
  for (const [name, tensor] of constants) {
    if (tensor.data.length > COMPARED_CONSTANT) continue;
    const key = keyOfTensor(tensor);
    const earlier = names.get(key);
    if (earlier === undefined) names.set(key, name);
    else replaced.set(name, earlier);
  }
  return replaced;
}

// Joining numbers would write -0 as 0.
const keyOfTensor = ({ dtype, shape, data }: Tensor): string =>
  `${dtype}[${shape}]${Array.from(data as ArrayLike<number | bigint>, (value) => (Object.is(value, -0) ? "-0" : value))}`;

function withInputs(node: Node, replaced: ReadonlyMap<string, string>): Node {
  if (!node.inputs.some((name) => replaced.has(name))) return node;
  return { ...node, inputs: node.inputs.map((name) => replaced.get(name) ?? name) };
}

/** Returns a text that is equal for nodes that compute the same; undefined for nodes that equal no other. */
function keyOf({ op, domain, inputs, outputs, attributes }: Node): string | undefined {
  const entries = [...attributes].sort(([a], [b]) => (a < b ? -1 : 1));
  if (RANDOM.has(op) || entries.some(([, { type }]) => type === "graph")) return undefined;
  const isComputed = outputs.map((name) => (name === "" ? 0 : 1));
  return JSON.stringify([
    domain,
    op,
    inputs,
    isComputed,
    entries.map(([name, value]) => [name, textOf(value)]),
  ]);
}

const textOf = (attribute: Attribute): unknown =>
  attribute.type === "tensor" ? keyOfTensor(attribute.value) : attribute.value;
