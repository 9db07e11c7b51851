import { createRandom, createTensor, sizeOf, type Tensor, toFloat32 } from "@isthmus/core";
import type { Graph, Node } from "@isthmus/graph";
import type { DenseModel } from "../build/dense-model.ts";

/** First layer of a router of two layers: random numbers that no fit changes. */
export interface RandomFeatures {
  /** Weight, `[size, width]`, f32. */
  readonly weight: Tensor;
  /** Bias, `[size]`, f32. */
  readonly bias: Tensor;
}

/** Name of the norm before the head, in all families that mixtures are made of. */
const LAST_NORM = "model.norm.weight";

/**
 * Draws the first layer of a router: independent normal numbers, such that each feature has a standard
 * deviation of about 1 before its bias. Hidden states after a norm are about as large as its weights.
 *
 * Source: Rahimi and Recht, Weighted sums of random kitchen sinks, 2008: the layer behind random features is
 * a regression in closed form.
 */
export async function drawFeatures(base: DenseModel, size: number, seed: number): Promise<RandomFeatures> {
  const { data, dtype } = await base.checkpoint.read(LAST_NORM);
  const norm = toFloat32(data, dtype);
  const scale = 1 / Math.max(Math.hypot(...norm), Number.MIN_VALUE);
  const { normal } = createRandom(seed, "features of the router");
  const draw = (shape: readonly number[], factor: number) =>
    createTensor(
      "f32",
      shape,
      new Float32Array(sizeOf(shape)).map(() => factor * normal()),
    );
  return { weight: draw([size, base.width], scale), bias: draw([size], 1) };
}

/**
 * Adds random features of a value to a graph, `max(0, weight * x + bias)`.
 * @returns the graph, and the name of the features, `[tokens, size]`
 */
export function addFeatures(
  graph: Graph,
  rows: string,
  { weight, bias }: RandomFeatures,
): { readonly graph: Graph; readonly features: string } {
  const [name, features] = ["router.features.sums", "router.features"];
  const node = (op: string, inputs: readonly string[], output: string): Node => ({
    name: output,
    op,
    domain: "",
    inputs,
    outputs: [output],
    attributes: new Map(op === "Gemm" ? [["transB", { type: "int", value: 1 }]] : []),
  });
  const added = [
    node("Gemm", [rows, `${name}.weight`, `${name}.bias`], name),
    node("Relu", [name], features),
  ];
  const constants = new Map([
    ...graph.constants,
    [`${name}.weight`, weight],
    [`${name}.bias`, bias],
  ] as const);
  const place = 1 + graph.nodes.findIndex(({ outputs }) => outputs.includes(rows));
  // The types that a typed graph states lack the new values.
  const { types: _, ...rest } = graph;
  const nodes = [...graph.nodes.slice(0, place), ...added, ...graph.nodes.slice(place)];
  return { graph: { ...rest, nodes, constants }, features };
}
