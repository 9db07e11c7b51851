import { at } from "@isthmus/core";
import type { Graph, WeightInfo } from "@isthmus/graph";
import { PartedGraph, refusal } from "./parted-graph.ts";
import { splitRule } from "./split-nodes.ts";

/** The parts in which an input or output of a graph is fed or returned. */
export interface SplitTensor {
  /** Axis along which the tensor is divided. */
  readonly axis: number;
  /** Indices along the axis at which parts begin, then the extent of the axis. */
  readonly bounds: readonly number[];
  /** Names of the parts in order. */
  readonly names: readonly string[];
}

/** A graph whose values are all below a limit. */
export interface SplitGraph {
  readonly graph: Graph;
  /** Weights and outputs of the whole graph that are fed and returned in parts, by name. */
  readonly tensors: ReadonlyMap<string, SplitTensor>;
}

/**
 * Rewrites a typed graph so that no value is larger than a device takes at once: weights above the limit
 * become several weights, products with them several products, the optimiser's update several updates.
 * Sums over the axis in common of a product are made in another order, so that results differ in their last
 * digits.
 * @param limit - number of bytes that a value may have
 * @throws UnsupportedError if a value cannot be divided, which names it and the reason
 */
export function splitLargeValues(graph: Graph, limit: number): SplitGraph {
  const parted = new PartedGraph(graph, limit);
  const { builder } = parted;
  assertDivisible(graph, parted);
  for (const [name, weight] of graph.weights) if (parted.isLarge(name)) splitWeight(parted, name, weight);
  for (const node of graph.nodes) {
    const isLarge = [...node.inputs, ...node.outputs].some((name) => parted.isLarge(name));
    if (isLarge) splitRule(node)(parted, node);
    else builder.adopt(node);
  }
  const tensors = new Map<string, SplitTensor>();
  for (const name of [...graph.weights.keys(), ...graph.outputs.map((output) => output.name)]) {
    const parts = parted.partsOf(name);
    if (parts !== undefined) tensors.set(name, { ...parts, names: parts.values.map((value) => value.name) });
  }
  const outputs = graph.outputs.flatMap(({ name }) => parted.partsOf(name)?.values ?? [builder.value(name)]);
  const { types = new Map(), ...built } = builder.build(outputs);
  return {
    graph: {
      ...built,
      weights: new Map([...built.weights].filter(([name]) => !parted.isLarge(name))),
      types: new Map([...types].filter(([name]) => !parted.isLarge(name))),
    },
    tensors,
  };
}

function assertDivisible({ inputs, constants }: Graph, parted: PartedGraph): void {
  for (const { name } of inputs)
    if (parted.isLarge(name)) throw refusal(name, "examples are fed whole: take smaller batches");
  for (const name of constants.keys())
    if (parted.isLarge(name)) throw refusal(name, "it is a constant of the graph");
}

function splitWeight(parted: PartedGraph, name: string, { role, dtype, shape }: WeightInfo): void {
  const { axis, bounds } = parted.boundsOf(name);
  const values = bounds.slice(0, -1).map((begin, i) => {
    const extent = at(bounds, i + 1) - begin;
    return parted.builder.weight(`${name}:part ${i}`, { dtype, shape: shape.with(axis, extent) }, role);
  });
  parted.keep(name, { axis, bounds, values });
}
