import {
  at,
  type Checkpoint,
  createTensor,
  sizeOf,
  type Tensor,
  toFloat32,
  toFloat64,
  UnsupportedError,
} from "@isthmus/core";
import type { Architecture, Graph, Node, ProbeOptions } from "@isthmus/graph";
import { valuesRead } from "@isthmus/graph/ir";
import { type AlikeParts, discoverAlikeParts } from "@isthmus/symmetry";

/** The linear layer that sends the tokens of one mixture to its experts. */
export interface RouterLayer {
  /** Name of the experts: the common part of the names of their weights. */
  readonly name: string;
  /** Name of the weight, `[experts, width]` or `[width, experts]`. */
  readonly weight: string;
  /** Name of the bias `[experts]`; undefined without one. */
  readonly bias: string | undefined;
  /** Whether the weight is stored as `[width, experts]`. */
  readonly inputFirst: boolean;
  /** Name of the value that the router reads: a row of `width` numbers for each token. */
  readonly input: string;
  /** Name of the value that the router computes: a score of each expert for each token. */
  readonly scores: string;
  /** Name of the value that holds each expert's share of each token, 0 if it is not chosen, and its axis. */
  readonly shares: { readonly value: string; readonly axis: number };
  /** Number of experts. */
  readonly experts: number;
  /** Names of the weights of each expert, in the order of the shares, and in corresponding order. */
  readonly parts: readonly (readonly string[])[];
  /** Numbers in a row of the input. */
  readonly width: number;
  /** Function that turns scores into probabilities: of all experts together, or of each alone. */
  readonly probabilities: "softmax" | "sigmoid";
}

/**
 * Discovers the routers of the mixtures in a graph, in the order of computation: the last linear layer before
 * the shares by which experts that are computed alike are multiplied. Nothing is decided by names.
 *
 * @throws EngineError if the engine cannot run the graph
 * @throws UnsupportedError if the graph has no router
 */
export async function discoverRouters(
  { graph, engine }: Architecture,
  options: ProbeOptions = {},
): Promise<RouterLayer[]> {
  const parts = await discoverAlikeParts({ graph, engine }, options);
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const routers = parts.flatMap((mixture) => routerOf(graph, makers, mixture));
  if (routers.length > 0) return routers;
  throw new UnsupportedError(
    `Cannot find routers of graph "${graph.name}" as it must have a mixture of experts whose shares come from a linear layer: none was found; isthmus moe makes a mixture`,
    { feature: "routers" },
  );
}

/**
 * Discovers the routers of a graph like {@link discoverRouters}, for work that treats all layers alike.
 * @throws UnsupportedError if the graph has no router, or routers differ in their numbers of experts
 */
export async function discoverEqualRouters(
  architecture: Architecture,
  options: ProbeOptions = {},
): Promise<readonly [RouterLayer, ...RouterLayer[]]> {
  const [first, ...others] = await discoverRouters(architecture, options);
  const unlike = others.find(({ experts }) => experts !== first?.experts);
  if (first !== undefined && unlike === undefined) return [first, ...others];
  throw new UnsupportedError(
    `Cannot work on the routers of graph "${architecture.graph.name}" as all must have the same number of experts: "${first?.name}" has ${first?.experts}, "${unlike?.name}" ${unlike?.experts}`,
    { feature: "routers" },
  );
}

/** Walks back from the shares of experts to the nearest linear layer with an output for each expert. */
function routerOf(graph: Graph, makers: ReadonlyMap<string, Node>, mixture: AlikeParts): RouterLayer[] {
  const { name, shares, indices } = mixture;
  if (shares === undefined) return [];
  const order = [...indices.keys()].sort((a, b) => at(indices, a) - at(indices, b));
  const parts = order.map((part) => at(mixture.parts, part, "expert"));
  const seen = new Set<string>();
  let probabilities: RouterLayer["probabilities"] = "softmax";
  for (const waiting = [shares.value]; waiting.length > 0; ) {
    const value = waiting.shift() ?? "";
    const node = makers.get(value);
    if (node === undefined || seen.has(value)) continue;
    seen.add(value);
    if (node.op === "Sigmoid") probabilities = "sigmoid";
    const layer = linearLayer(graph, makers, node);
    if (layer === undefined) waiting.push(...valuesRead(node));
    else if (layer.experts === parts.length) return [{ name, shares, probabilities, parts, ...layer }];
  }
  return [];
}

/** Reads a node as a linear layer; undefined if it is none. */
function linearLayer(
  { weights }: Graph,
  makers: ReadonlyMap<string, Node>,
  node: Node,
): Omit<RouterLayer, "name" | "shares" | "probabilities" | "parts"> | undefined {
  const [input, operand, bias] = node.inputs;
  if ((node.op !== "Gemm" && node.op !== "MatMul") || input === undefined || operand === undefined)
    return undefined;
  const turned = makers.get(operand);
  const weight = turned?.op === "Transpose" ? at(turned.inputs, 0, "input") : operand;
  const [rows, columns, ...more] = weights.get(weight)?.shape ?? [];
  if (rows === undefined || columns === undefined || more.length > 0) return undefined;
  const inputFirst = (weight !== operand) === (Number(node.attributes.get("transB")?.value ?? 0) !== 0);
  const [experts, width] = inputFirst ? [columns, rows] : [rows, columns];
  const scores = at(node.outputs, 0, "output");
  return { weight, bias: bias === "" ? undefined : bias, inputFirst, input, scores, experts, width };
}

/**
 * Reads the shares of experts from the value that holds them, as rows of a number for each expert.
 * @returns shares `[tokens, experts]`, 0 for experts that are not chosen
 */
export function readShares({ experts, shares: { axis } }: RouterLayer, value: Tensor): Float32Array {
  const data = toFloat32(value.data, value.dtype);
  const inner = sizeOf(value.shape.slice(axis + 1));
  if (inner === 1) return data;
  return Float32Array.from(data, (_, place) => {
    const [token, expert] = [Math.floor(place / experts), place % experts];
    return data[(Math.floor(token / inner) * experts + expert) * inner + (token % inner)] as number;
  });
}

/** Returns the numbers of each expert in a router: its weights, and its bias if the router has one. */
export function columnsOf({ width, bias }: RouterLayer): number {
  return bias === undefined ? width : width + 1;
}

/** Reads a router of a network as rows `[experts][columns]`. */
export async function readRouter(network: Checkpoint, router: RouterLayer): Promise<Float64Array> {
  const { weight, bias } = router;
  const columns = columnsOf(router);
  const rows = new Float64Array(router.experts * columns);
  const values = await readDoubles(network, weight);
  placesOf(router).forEach((place, k) => {
    rows[place] = at(values, k, "weight");
  });
  if (bias === undefined) return rows;
  (await readDoubles(network, bias)).forEach((shift, expert) => {
    rows[expert * columns + router.width] = shift;
  });
  return rows;
}

/** Returns the tensors that {@link readRouter} reads as given rows. */
export function routerTensors(router: RouterLayer, rows: Float64Array): Map<string, Tensor> {
  const { weight, bias, experts, width, inputFirst } = router;
  const values = Float64Array.from(placesOf(router), (place) => at(rows, place, "weight"));
  const shape = inputFirst ? [width, experts] : [experts, width];
  const tensors = new Map([[weight, createTensor("f64", shape, values)]]);
  if (bias === undefined) return tensors;
  const shifts = Float64Array.from({ length: experts }, (_, expert) =>
    at(rows, (expert + 1) * (width + 1) - 1, "bias"),
  );
  return tensors.set(bias, createTensor("f64", [experts], shifts));
}

async function readDoubles(network: Checkpoint, name: string): Promise<Float64Array> {
  const { data, dtype } = await network.read(name);
  return toFloat64(data, dtype);
}

/** Returns the place in rows of each element of the stored weight. */
function placesOf(router: RouterLayer): Int32Array {
  const { experts, width, inputFirst } = router;
  const columns = columnsOf(router);
  return Int32Array.from({ length: experts * width }, (_, k) =>
    inputFirst
      ? (k % experts) * columns + Math.floor(k / experts)
      : Math.floor(k / width) * columns + (k % width),
  );
}
