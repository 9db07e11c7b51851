import type { Tensor } from "@isthmus/core";
import { capturedNames } from "./captured-names.ts";
import type { Attribute, Graph, Node } from "./graph.ts";
import { pruneNodes } from "./prune-nodes.ts";

/** Constants of at most so many elements are compared; larger ones are rarely equal and slow to write out. */
const COMPARED_CONSTANT = 64;

/** Operators that give something else each time. */
const RANDOM: ReadonlySet<string> = new Set(
  "Bernoulli Dropout Multinomial RandomNormal RandomNormalLike RandomUniform RandomUniformLike".split(" "),
);

/**
 * Returns the graph in which nodes that compute the same from the same, and small constants that are equal, are one.
 *
 * @param isKept - nodes that stay as they are, though others may come to use what they compute; those that compute outputs of
 *   the graph always do. @defaultValue none
 */
export function shareNodes(graph: Graph, isKept: (node: Node) => boolean = () => false): Graph {
  // Subgraphs see values by name too.
  const named = new Set([...graph.outputs.map(({ name }) => name), ...graph.nodes.flatMap(capturedNames)]);
  const replaced = shareConstants(graph);
  const found = new Map<string, Node>();
  const nodes = graph.nodes.flatMap((original) => {
    const resolved = withInputs(original, replaced);
    const key = keyOf(resolved);
    const earlier = key === undefined ? undefined : found.get(key);
    const isFixed = isKept(original) || original.outputs.some((name) => named.has(name));
    if (earlier !== undefined && !isFixed) {
      original.outputs.forEach((name, i) => {
        replaced.set(name, earlier.outputs[i] ?? "");
      });
      return [];
    }
    if (key !== undefined && earlier === undefined) found.set(key, resolved);
    // Whatever reads a copy may as well read the original.
    if (isIdentity(resolved)) replaced.set(resolved.outputs[0] ?? "", resolved.inputs[0] ?? "");
    return [isKept(original) ? original : resolved];
  });
  return pruneNodes({ ...graph, nodes });
}

const isIdentity = ({ op, domain }: Node): boolean => op === "Identity" && domain === "";

/** For each constant that equals an earlier one, the name of that. */
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

// Joined numbers would write -0 as 0.
const keyOfTensor = ({ dtype, shape, data }: Tensor): string =>
  `${dtype}[${shape}]${Array.from(data as ArrayLike<number | bigint>, (value) => (Object.is(value, -0) ? "-0" : value))}`;

function withInputs(node: Node, replaced: ReadonlyMap<string, string>): Node {
  if (!node.inputs.some((name) => replaced.has(name))) return node;
  return { ...node, inputs: node.inputs.map((name) => replaced.get(name) ?? name) };
}

/** Text that two nodes have in common if they compute the same; undefined for those that are like no other. */
function keyOf({ op, domain, inputs, outputs, attributes }: Node): string | undefined {
  const entries = [...attributes].sort(([a], [b]) => (a < b ? -1 : 1));
  if (RANDOM.has(op) || entries.some(([, { type }]) => type === "graph")) return undefined;
  const wanted = outputs.map((name) => (name === "" ? 0 : 1));
  return JSON.stringify([domain, op, inputs, wanted, entries.map(([name, value]) => [name, textOf(value)])]);
}

const textOf = (attribute: Attribute): unknown =>
  attribute.type === "tensor" ? keyOfTensor(attribute.value) : attribute.value;
