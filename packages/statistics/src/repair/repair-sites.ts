import { DTYPES, sizeOf } from "@isthmus/core";
import type { Graph, Node } from "@isthmus/graph";
import { capturedNames } from "@isthmus/graph/ir";
import type { UnitView } from "../activations/unit-view.ts";
import { type BatchNormSite, findBatchNorms } from "./batch-norm-sites.ts";
import type { Site } from "./site.ts";

/** A layer whose output is rescaled through its own weights. */
export interface LinearSite extends Site {
  readonly kind: "linear";
  /** Value that the layer computes, its bias included. */
  readonly output: string;
  readonly weight: string;
  /** Axis of the weight that holds the units. */
  readonly weightAxis: number;
  /** One number for each unit; undefined where the layer has none. */
  readonly bias: string | undefined;
  /** Weights of the extended graph that rescale the output until they are folded into the layer. */
  readonly gain: string;
  readonly shift: string;
  /** Shape of gain and shift, `[units, 1, ...]`. */
  readonly shape: readonly number[];
}

/** A batch norm whose scale and bias are its own. */
export interface NormSite extends BatchNormSite {
  readonly kind: "norm";
  readonly output: string;
  readonly scale: string;
  readonly bias: string;
  readonly epsilon: number;
}

/** A place that REPAIR corrects. */
export type RepairSite = LinearSite | NormSite;

/** Where a graph is repaired, and the graph in which it can be measured. */
export interface RepairPlan {
  readonly sites: readonly RepairSite[];
  /** The graph with gain and shift behind every layer that is rescaled. */
  readonly extended: Graph;
}

/**
 * Finds what REPAIR corrects: batch norms with weights of their own, and convolutions and linear layers with weights of their
 * own whose output neither goes into such a norm alone nor is an output of the graph.
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

/** Where the statistics of a site's goal are read in the endpoints: behind norms, and at the output of layers. */
export function goalView({ output, axis }: RepairSite): UnitView {
  return { value: output, axes: [axis] };
}

function findNorms(graph: Graph, uses: ReadonlyMap<string, number>): NormSite[] {
  const nodes = new Map(graph.nodes.map((node) => [node.name, node]));
  return findBatchNorms(graph).map((site): NormSite => {
    const node = nodes.get(site.node);
    const [, scale = "", bias = ""] = node?.inputs ?? [];
    const own = (name: string) => (graph.weights.has(name) && uses.get(name) === 1 ? name : "");
    const epsilon = node?.attributes.get("epsilon");
    return {
      ...site,
      kind: "norm",
      output: node?.outputs[0] ?? "",
      scale: own(scale),
      bias: own(bias),
      epsilon: epsilon?.type === "float" ? epsilon.value : DEFAULT_EPSILON,
    };
  });
}

/** Batch norm's default epsilon in ONNX. */
const DEFAULT_EPSILON = 1e-5;

type Layer = Pick<LinearSite, "output" | "weight" | "weightAxis" | "bias" | "axis" | "shape">;

function findLinear(graph: Graph, uses: ReadonlyMap<string, number>, node: Node): LinearSite | undefined {
  const layer = describeLayer(graph, uses, node);
  if (layer === undefined || uses.get(layer.weight) !== 1 || !graph.weights.has(layer.weight))
    return undefined;
  if (DTYPES[graph.weights.get(layer.weight)?.dtype ?? "f32"].float === false) return undefined;
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

/** A convolution, `Gemm`, or `MatMul` with or without `Add`, by its output; undefined for other nodes. */
function describeLayer(graph: Graph, uses: ReadonlyMap<string, number>, node: Node): Layer | undefined {
  if (node.domain !== "") return undefined;
  const [, factor = "", bias] = node.inputs;
  const { weight, transposed } = matrixOf(graph, uses, factor);
  const shape = graph.weights.get(weight)?.shape ?? [];
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
  /** Axis of the outputs in the factor that the node reads. */
  readonly outputs: number;
  readonly bias: string | undefined;
}

/** A layer of a form; undefined if its bias is not its own, so that it could not take a shift. */
function layerOf(
  graph: Graph,
  uses: ReadonlyMap<string, number>,
  { output, weight, shape, transposed, outputs, bias }: LayerForm,
): Layer | undefined {
  const weightAxis = transposed ? 1 - outputs : outputs;
  const units = shape[weightAxis] ?? 0;
  const biased = isBias(graph, uses, bias, units) ? bias : undefined;
  if (bias !== undefined && bias !== "" && biased === undefined) return undefined;
  const spatial = Math.max(0, shape.length - 2);
  const form = [units, ...Array.from({ length: spatial }, () => 1)];
  return { output, weight, weightAxis, bias: biased, axis: spatial > 0 ? 1 : -1, shape: form };
}

/** The weight that a factor of a product is, or is the transpose of, as graphs have it that read a checkpoint as it is. */
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

/** The addition of a vector of weights behind a product, if there is one. */
function biasSum(graph: Graph, { outputs }: Node): { bias: string; output: string } | undefined {
  const product = outputs[0] ?? "";
  const sum = graph.nodes.find(({ op, inputs }) => op === "Add" && inputs.includes(product));
  const bias = sum?.inputs.find((name) => name !== product) ?? "";
  if (sum === undefined || graph.weights.get(bias)?.shape.length !== 1) return undefined;
  return { bias, output: sum.outputs[0] ?? "" };
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
    const site = siteOf.get(node.outputs[0] ?? "");
    if (site === undefined) return [node];
    const { output, value, gain, shift } = site;
    const after = (op: string, inputs: readonly string[], result: string): Node => ({
      name: result === output ? shift : gain,
      op,
      domain: "",
      inputs,
      outputs: [result],
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

/** How often each value is used: by nodes, in branches and loop bodies, and as an output. */
function countUses(graph: Graph): ReadonlyMap<string, number> {
  const uses = new Map<string, number>();
  const used = [
    ...graph.nodes.flatMap((node) => [...node.inputs, ...capturedNames(node)]),
    ...graph.outputs.map(({ name }) => name),
  ];
  for (const name of used) uses.set(name, (uses.get(name) ?? 0) + 1);
  return uses;
}
