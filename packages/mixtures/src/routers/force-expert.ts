import { createTensor, type Tensor } from "@isthmus/core";
import type { Graph, Node } from "@isthmus/graph";
import type { RouterLayer } from "./discover-routers.ts";

/** Score of the expert to which all tokens are sent; other experts have its opposite. */
const SURE = 1e4;

/**
 * Returns the graph of a mixture in which every router sends all tokens to one expert, whatever its weights:
 * the dense network of that expert. Routers still compute their scores, which nothing reads but the caller.
 *
 * The scores that follow are `SURE` for the expert and `-SURE` for the others, so that a softmax as well as
 * sigmoids give it the whole weight, or the whole factor of the layout.
 */
export function forceExpert(graph: Graph, routers: readonly RouterLayer[], expert: number): Graph {
  const forced = new Map(routers.map((router) => [router.scores, router]));
  const nodes = graph.nodes.flatMap((node): Node[] => {
    const read = { ...node, inputs: node.inputs.map((name) => (forced.has(name) ? nameForced(name) : name)) };
    const scores = node.outputs.find((name) => forced.has(name));
    return scores === undefined ? [read] : [read, ...forcedScores(scores)];
  });
  const constants = new Map<string, Tensor>(graph.constants);
  constants.set(NOTHING, createTensor("f32", [1], new Float32Array(1)));
  for (const { scores, experts } of routers) {
    const row = Float32Array.from({ length: experts }, (_, i) => (i === expert ? SURE : -SURE));
    constants.set(`${scores}.sure`, createTensor("f32", [1, experts], row));
  }
  // The types that a typed graph states lack the new values.
  const { types: _, ...rest } = graph;
  return { ...rest, nodes, constants };
}

const NOTHING = "forced.nothing";

function nameForced(scores: string): string {
  return `${scores}.forced`;
}

/** Returns the nodes that replace scores: each row is multiplied by 0, and the same row is added to all. */
function forcedScores(scores: string): Node[] {
  const node = (op: string, inputs: readonly string[], output: string): Node => ({
    name: output,
    op,
    domain: "",
    inputs,
    outputs: [output],
    attributes: new Map(),
  });
  return [
    node("Mul", [scores, NOTHING], `${scores}.none`),
    node("Add", [`${scores}.none`, `${scores}.sure`], nameForced(scores)),
  ];
}
