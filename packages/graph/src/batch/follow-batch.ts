import { capturedNames } from "../ir/captured-names.ts";
import type { Graph, Node, ValueInfo } from "../ir/graph.ts";
import { inputName } from "../ir/input-name.ts";
import type { Probe } from "../probe/probe-graph.ts";
import type { BatchPlace, MergeChoice } from "./batch-place.ts";
import type { PlaceContext, Placing } from "./rules/place-rule.ts";
import { PLACE_RULES } from "./rules/table.ts";

/** Axes that hold the batch in the values of a graph, and changes by which nodes take batches of any size. */
export interface FollowedBatch {
  /** Place in each value that holds the batch. */
  readonly places: ReadonlyMap<string, BatchPlace>;
  /** Reason for each value in which the position of the batch is unknown. */
  readonly lost: ReadonlyMap<string, string>;
  /** Changes that let each node take any batch. */
  readonly placings: ReadonlyMap<Node, Placing>;
}

/** Options of {@link followBatch}. */
export interface FollowOptions {
  /** Examples in the batch that the graph was exported for. */
  readonly batch: number;
  /** Choice among several axes that may hold a batch of 1. */
  readonly choice: MergeChoice;
}

/**
 * Finds the batch that a graph was exported for: the first extent of its first data input.
 * @returns undefined if the graph takes any batch, or states no shape
 */
export function fixedBatch({ inputs }: Pick<Graph, "inputs">): number | undefined {
  const extent = inputs[0]?.shape?.[0];
  return typeof extent === "number" ? extent : undefined;
}

/** Lists the data inputs that contain a batch with the given number of examples. */
export function batchInputs({ inputs }: Pick<Graph, "inputs">, batch: number): ValueInfo[] {
  return inputs.filter(({ shape }) => shape?.[0] === batch);
}

/**
 * Follows the examples of a batch from the inputs through a graph that was exported for one batch size.
 *
 * @param probe - types and constants of the graph, for its batch
 */
export function followBatch(graph: Graph, probe: Probe, { batch, choice }: FollowOptions): FollowedBatch {
  const places = new Map<string, BatchPlace>(
    batchInputs(graph, batch).map(({ name }) => [name, { axis: 0, outer: 1, inner: 1 }]),
  );
  const lost = new Map<string, string>();
  const placings = new Map<Node, Placing>();
  const opset = graph.opsets.get("") ?? 1;
  for (const node of graph.nodes) {
    const read = [...node.inputs, ...capturedNames(node)].filter((name) => name !== "");
    if (!read.some((name) => places.has(name) || lost.has(name))) continue;
    const before = read.map((name) => lost.get(name)).find((reason) => reason !== undefined);
    const context = contextOf(node, { graph, probe, places, opset, batch, choice });
    const placing = before ?? applyRule(context);
    if (typeof placing === "string") {
      for (const name of node.outputs) if (name !== "") lost.set(name, placing);
      continue;
    }
    placings.set(node, placing);
    node.outputs.forEach((name, i) => {
      const place = placing.places[i];
      if (name !== "" && place !== undefined) places.set(name, place);
    });
  }
  return { places, lost, placings };
}

/** Applies the rule of a node; returns the reason if the batch is lost there. */
function applyRule(context: PlaceContext): Placing | string {
  const { node } = context;
  const rule = node.domain === "" ? PLACE_RULES.get(node.op) : undefined;
  const placing = rule === undefined ? "what it does to a batch is not known" : rule(context);
  return typeof placing === "string" ? `"${node.name}" (${node.op}): ${placing}` : placing;
}

/** Values and constants around a node. */
interface Surroundings extends FollowOptions {
  readonly graph: Graph;
  readonly probe: Probe;
  readonly places: ReadonlyMap<string, BatchPlace>;
  readonly opset: number;
}

function contextOf(node: Node, { graph, probe, places, ...rest }: Surroundings): PlaceContext {
  const shapeOf = (name: string) => (name === "" ? undefined : probe.types.get(name)?.shape);
  return {
    ...rest,
    node,
    places: node.inputs.map((name) => places.get(name)),
    inputs: node.inputs.map(shapeOf),
    outputs: node.outputs.map(shapeOf),
    numbers: (input) => {
      const name = inputName(node, input);
      const tensor = graph.constants.get(name) ?? probe.constants.get(name);
      return tensor && Array.from(tensor.data as ArrayLike<number | bigint>, Number);
    },
  };
}
