import { at, UnsupportedError } from "@isthmus/core";
import type { Graph, Node } from "@isthmus/graph";

/** A router of a mixture of experts: the linear layer that gives each token a score for each expert. */
export interface Router {
  /** Name of its layer, such as `model.layers.0.block_sparse_moe`. */
  readonly layer: string;
  /** Name of its weight, `[experts, width]`. */
  readonly weight: string;
  /** Name of the value that it reads: hidden states, `[tokens, width]`. */
  readonly input: string;
  /** Name of the value that it computes: scores, `[tokens, experts]`. */
  readonly scores: string;
  /** Name of the weights of experts, `[tokens, experts]`, 0 for experts that are not chosen. */
  readonly shares: string;
  /** Names of the results of experts before they are weighed, `[tokens, width]`, in the order of experts. */
  readonly results: readonly string[];
  /** Number of experts. */
  readonly experts: number;
  /** Number of units of a hidden state. */
  readonly width: number;
}

/** Name of the weight of a router in all published layouts of mixtures. */
const ROUTER = /^(.+)\.(?:gate|router)\.weight$/;

/**
 * Finds the routers of a mixture's graph, in the order of its layers: products with a weight `[experts,
 * width]` that is named `gate` or `router`.
 * @throws UnsupportedError if there is none, or routers differ in their numbers of experts
 */
export function findRouters(graph: Graph): readonly [Router, ...Router[]] {
  const routers = graph.nodes.flatMap(({ op, inputs, outputs }): Router[] => {
    const [input, weight = "", bias] = inputs;
    const layer = ROUTER.exec(weight)?.[1];
    const [experts, width, ...rest] = graph.weights.get(weight)?.shape ?? [];
    if (op !== "Gemm" || layer === undefined || input === undefined || bias !== undefined) return [];
    if (experts === undefined || width === undefined || rest.length > 0) return [];
    const scores = at(outputs, 0, "output");
    const split = findSplit(graph, scores, experts);
    if (split === undefined) return [];
    const results = split.outputs.map((share) => findWeighed(graph, share));
    return [{ layer, weight, input, scores, shares: at(split.inputs, 0), results, experts, width }];
  });
  const [first, ...others] = routers;
  if (first === undefined) {
    throw new UnsupportedError(
      `Cannot find routers in graph "${graph.name}" as a mixture of experts must have linear layers without bias that are named "gate": it has none; make a mixture by isthmus moe`,
      { feature: "routers" },
    );
  }
  const unlike = others.find(({ experts }) => experts !== first.experts);
  if (unlike !== undefined) {
    throw new UnsupportedError(
      `Cannot work on the routers of graph "${graph.name}" as all must have the same number of experts: "${first.layer}" has ${first.experts}, "${unlike.layer}" ${unlike.experts}`,
      { feature: "routers" },
    );
  }
  return [first, ...others];
}

/**
 * Finds the node that splits the weights of experts, which follow from scores, into one part for each expert.
 */
function findSplit({ nodes }: Graph, scores: string, experts: number): Node | undefined {
  const following = new Set([scores]);
  for (const node of nodes) {
    if (!node.inputs.some((name) => following.has(name))) continue;
    if (node.op === "Split" && node.outputs.length === experts) return node;
    for (const name of node.outputs) following.add(name);
  }
  return undefined;
}

/** Finds the results of an expert: the value that its weight multiplies. */
function findWeighed({ name, nodes }: Graph, share: string): string {
  const product = nodes.find(({ op, inputs }) => op === "Mul" && inputs.includes(share));
  const weighed = product?.inputs.find((input) => input !== share);
  if (weighed !== undefined) return weighed;
  throw new UnsupportedError(
    `Cannot find the experts of graph "${name}" as results of experts must be multiplied by their weights: "${share}" multiplies nothing`,
    { feature: "experts" },
  );
}
