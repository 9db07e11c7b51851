import { at, DTYPES, entry, sizeOf } from "@isthmus/core";
import type { Graph, Node } from "@isthmus/graph";
import { countUses } from "@isthmus/graph/ir";
import type { UnitView } from "../activations/unit-view.ts";
import { type BatchNormSite, findBatchNorms } from "./batch-norm-sites.ts";
import type { Site } from "./site.ts";

/** A layer whose output is corrected through its weights. */
export interface LinearSite extends Site {
  /** Kind of the site: a convolution or linear layer. */
  readonly kind: "linear";
  /** Name of the value that the layer computes, its bias included. */
  readonly output: string;
  /** Name of the layer's weight, whose units gain and shift are folded into. */
  readonly weight: string;
  /** Axis of the weight that holds the units. */
  readonly weightAxis: number;
  /** Name of the bias, one number for each unit; undefined if the layer has none. */
  readonly bias: string | undefined;
  /** Weight of the extended graph that the output is multiplied by, until it is folded into the layer. */
  readonly gain: string;
  /** Weight of the extended graph that is added to the output, until it is folded into the layer. */
  readonly shift: string;
  /** Shape of gain and shift, `[units, 1, ...]`. */
  readonly shape: readonly number[];
}

/** A batch norm that is corrected through its weights. */
export interface NormSite extends BatchNormSite {
  /** Kind of the site: a batch norm. */
  readonly kind: "norm";
  /** Name of the value that the norm computes. */
  readonly output: string;
  /** Name of the scale; undefined if it is not a weight, or is used elsewhere too. */
  readonly scale: string | undefined;
  /** Name of the bias; undefined if it is not a weight, or is used elsewhere too. */
  readonly bias: string | undefined;
  /** Number that the norm adds to variances. */
  readonly epsilon: number;
}

/** A place that REPAIR corrects. */
export type RepairSite = LinearSite | NormSite;

/** Sites at which a graph is repaired, and the graph in which they can be measured. */
export interface RepairPlan {
  /** Sites to correct: batch norms first, then layers. */
  readonly sites: readonly RepairSite[];
  /** The graph with a gain and a shift after every layer that is corrected. */
  readonly extended: Graph;
}

/**
 * Finds the sites that REPAIR corrects: batch norms whose weights are not shared, and convolutions and linear
 * layers whose weights are not shared and whose output is neither an output of the graph nor used by such a
 * norm only.
 *
 * @throws UnsupportedError if two norms share their statistics
 */
export function planRepair(graph: Graph): RepairPlan {
  const uses = countUses(graph);
  const norms = findNorms(graph, uses);
  const normalised = new Set(norms.flatMap(({ value }) => (uses.get(value) === 1 ? [value] : [])));
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const linear = graph.nodes.flatMap((node): LinearSite[] => {
    const site = findLinear(graph, uses, node);
    return site === undefined || normalised.has(site.output) || outputs.has(site.output) ? [] : [site];
  });
  return { sites: [...norms, ...linear], extended: extend(graph, linear) };
}

/**
 * Returns the view in which the endpoints are measured for
 * the goal of a site: the output of its norm or layer.
 */
export function goalView({ output, axis }: RepairSite): UnitView {
  return { value: output, axes: [axis] };
}

function findNorms(graph: Graph, uses: ReadonlyMap<string, number>): NormSite[] {
  const nodes = new Map(graph.nodes.map((node) => [node.name, node]));
  return findBatchNorms(graph).map((site): NormSite => {
    const node = entry(nodes, site.node, "node");
    const [, scale = "", bias = ""] = node.inputs;
    const unshared = (name: string) => (graph.weights.has(name) && uses.get(name) === 1 ? name : undefined);
    const epsilon = node.attributes.get("epsilon");
    return {
      ...site,
      kind: "norm",
      output: at(node.outputs, 0, "output"),
      scale: unshared(scale),
      bias: unshared(bias),
      epsilon: epsilon?.type === "float" ? epsilon.value : DEFAULT_EPSILON,
    };
  });
}

/** Default epsilon of batch norms in ONNX. */
const DEFAULT_EPSILON = 1e-5;

type Layer = Pick<LinearSite, "output" | "weight" | "weightAxis" | "bias" | "axis" | "shape">;

function findLinear(graph: Graph, uses: ReadonlyMap<string, number>, node: Node): LinearSite | undefined {
  const layer = describeLayer(graph, uses, node);
  if (layer === undefined || uses.get(layer.weight) !== 1) return undefined;
  if (!DTYPES[entry(graph.weights, layer.weight, "weight").dtype].float) return undefined;
  const { output } = layer;
  return {
    ...layer,
    kind: "linear",
    node: `${output}/gain`,
    value: `${output}/raw`,
    label: layer.weight,
    gain: `${output}/gain`,
    shift: `${output}/shift`,
  };
}

/**
 * Describes a layer whose weight is a weight of the graph: a convolution, `Gemm`, or `MatMul` with or without
 * `Add`; undefined for other nodes.
 */
function describeLayer(graph: Graph, uses: ReadonlyMap<string, number>, node: Node): Layer | undefined {
  if (node.domain !== "") return undefined;
  const [, factor = "", bias] = node.inputs;
  const { weight, transposed } = matrixOf(graph, uses, factor);
  const info = graph.weights.get(weight);
  if (info === undefined) return undefined;
  const { shape } = info;
  const [output = ""] = node.outputs;
  const form = { output, weight, shape, transposed };
  if (node.op === "Conv") return transposed ? undefined : layerOf(graph, uses, { ...form, outputs: 0, bias });
  if (node.op === "Gemm") {
    const outputs = intAttribute(node, "transB") === 1 ? 0 : 1;
    return hasUnitFactors(node) ? layerOf(graph, uses, { ...form, outputs, bias }) : undefined;
  }
  if (node.op !== "MatMul" || shape.length !== 2) return undefined;
  const sum = uses.get(output) === 1 ? biasSum(graph, node) : undefined;
  const layer = layerOf(graph, uses, { ...form, outputs: 1, bias: sum?.bias });
  return layer === undefined || sum === undefined ? layer : { ...layer, output: sum.output };
}

function intAttribute({ attributes }: Node, name: string): number {
  const attribute = attributes.get(name);
  return attribute?.type === "int" ? attribute.value : 0;
}

interface LayerForm {
  readonly output: string;
  readonly weight: string;
  readonly shape: readonly number[];
  readonly transposed: boolean;
  /** Axis of the output units in the factor that the node reads. */
  readonly outputs: number;
  readonly bias: string | undefined;
}

/**
 * Returns a layer of a form; undefined if its bias cannot take a shift, because it is shared or no weight.
 */
function layerOf(
  graph: Graph,
  uses: ReadonlyMap<string, number>,
  { output, weight, shape, transposed, outputs, bias }: LayerForm,
): Layer | undefined {
  const weightAxis = transposed ? 1 - outputs : outputs;
  const units = at(shape, weightAxis, "axis");
  const biased = isBias(graph, uses, bias, units) ? bias : undefined;
  if (bias !== undefined && bias !== "" && biased === undefined) return undefined;
  const spatial = Math.max(0, shape.length - 2);
  const form = [units, ...Array.from({ length: spatial }, () => 1)];
  return { output, weight, weightAxis, bias: biased, axis: spatial > 0 ? 1 : -1, shape: form };
}

/**
 * Returns the weight that equals a factor of a product, or whose transpose does, as in graphs that read
 * checkpoints unchanged.
 */
function matrixOf(
  graph: Graph,
  uses: ReadonlyMap<string, number>,
  factor: string,
): { readonly weight: string; readonly transposed: boolean } {
  const maker = graph.nodes.find(({ outputs }) => outputs.includes(factor));
  const [weight = ""] = maker?.inputs ?? [];
  const order = maker?.attributes.get("perm");
  const turns = maker?.op === "Transpose" && (order?.type !== "ints" || order.value.join() === "1,0");
  const transposed = turns && graph.weights.get(weight)?.shape.length === 2 && uses.get(factor) === 1;
  return transposed ? { weight, transposed } : { weight: factor, transposed: false };
}

function hasUnitFactors({ attributes }: Node): boolean {
  return ["alpha", "beta"].every((name) => {
    const attribute = attributes.get(name);
    return attribute?.type !== "float" || attribute.value === 1;
  });
}

/** Finds the addition of a vector of weights to a product; undefined if there is none. */
function biasSum(graph: Graph, { outputs }: Node): { bias: string; output: string } | undefined {
  const product = at(outputs, 0, "output");
  const sum = graph.nodes.find(({ op, inputs }) => op === "Add" && inputs.includes(product));
  const bias = sum?.inputs.find((name) => name !== product) ?? "";
  if (sum === undefined || graph.weights.get(bias)?.shape.length !== 1) return undefined;
  return { bias, output: at(sum.outputs, 0, "output") };
}

function isBias(
  graph: Graph,
  uses: ReadonlyMap<string, number>,
  name: string | undefined,
  units: number,
): boolean {
  if (name === undefined || uses.get(name) !== 1) return false;
  const info = graph.weights.get(name);
  return info !== undefined && sizeOf(info.shape) === units;
}

function extend(graph: Graph, sites: readonly LinearSite[]): Graph {
  const siteOf = new Map(sites.map((site) => [site.output, site]));
  const weights = new Map(graph.weights);
  for (const { gain, shift, shape } of sites) {
    for (const name of [gain, shift]) weights.set(name, { dtype: "f32", shape, role: "parameter" });
  }
  const nodes = graph.nodes.flatMap((node): Node[] => {
    const [result = ""] = node.outputs;
    const site = siteOf.get(result);
    if (site === undefined) return [node];
    const { output, value, gain, shift } = site;
    const after = (op: string, inputs: readonly string[], name: string): Node => ({
      name: name === output ? shift : gain,
      op,
      domain: "",
      inputs,
      outputs: [name],
      attributes: new Map(),
    });
    return [
      { ...node, outputs: [value, ...node.outputs.slice(1)] },
      after("Mul", [value, gain], `${output}/scaled`),
      after("Add", [`${output}/scaled`, shift], output),
    ];
  });
  return { ...graph, weights, nodes };
}
