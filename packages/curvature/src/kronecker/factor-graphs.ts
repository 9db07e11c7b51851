import { pullBack } from "@isthmus/autodiff";
import { at, entry, formatShape, sizeOf, UnsupportedError } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import {
  GraphBuilder,
  matMul,
  mul,
  reduceMean,
  reduceSum,
  reshape,
  transpose,
  transposeLast,
  type Value,
} from "@isthmus/graph/builder";
import { int, shareNodes } from "@isthmus/graph/ir";
import type { KroneckerLayer } from "./find-layers.ts";

/**
 * Conventions for a layer that uses its weight at several places, as at all tokens or all pixels: `expand`
 * counts each place as an example of its own; `reduce` takes the mean of the inputs and the sum of the
 * gradients over places.
 */
export const SHARINGS = ["expand", "reduce"] as const;

/** Convention for a layer that uses its weight at several places. */
export type Sharing = (typeof SHARINGS)[number];

/** Data inputs of the graphs of factors: names do not occur in graphs that programs write. */
export const FACTOR_INPUTS = {
  /** Weights of the output's numbers, whose gradients are multiplied. */
  cotangent: "cotangent(output)",
  /** 1 for each example that counts, 0 for one that only fills a batch up, `[batch, 1, 1]`. */
  counted: "counted(examples)",
} as const;

/** Names of what belongs to a layer, of the output named: inputs and outputs of the graphs of factors. */
export const factorName = {
  inputs: (layer: string): string => `inputs(${layer})`,
  outputs: (layer: string): string => `outputs(${layer})`,
  bias: (layer: string): string => `bias(${layer})`,
  inputVectors: (layer: string): string => `vectors(inputs(${layer}))`,
  outputVectors: (layer: string): string => `vectors(outputs(${layer}))`,
};

/** Loss of an output with the layers that are measured. */
export interface FactoredLoss {
  /** Typed graph of the loss. */
  readonly graph: Graph;
  /** Name of the value that the loss is computed from, whose first extent is the batch. */
  readonly output: string;
  /** Layers of that graph. */
  readonly layers: readonly KroneckerLayer[];
  /** Convention for layers that use their weight at several places. */
  readonly sharing: Sharing;
}

/**
 * Makes the graph of the sums over a batch of `x x'`, for the inputs `x` of every layer with a weight, as a
 * mean over the places of an example.
 */
export function inputsGraph(loss: FactoredLoss): Graph {
  const builder = GraphBuilder.from(loss.graph);
  const places = countedPlaces(builder, loss);
  const sums = loss.layers.flatMap((layer) => {
    if (layer.weight === undefined) return [];
    const x = places(layer);
    const shared = loss.sharing === "expand" ? x : reduceMean(x, { axes: [1], keepDims: true });
    const mean = mul(squareOf(shared), 1 / at(shared.shape, 1, "extent"));
    return [builder.rename(mean, factorName.inputs(layer.output))];
  });
  return shareNodes(builder.build(sums));
}

/** Makes the graph of the sums over a batch of `g g'`, for the gradients `g` by every layer's output. */
export function outputsGraph(loss: FactoredLoss): Graph {
  const builder = GraphBuilder.from(loss.graph);
  const gradients = pulledGradients(builder, loss);
  const sums = loss.layers.map(({ output }) => {
    const g = entry(gradients, output, "gradient");
    const shared = loss.sharing === "expand" ? g : reduceSum(g, { axes: [1], keepDims: true });
    return builder.rename(squareOf(shared), factorName.outputs(output));
  });
  return shareNodes(builder.build(sums));
}

/**
 * Makes the graph of the squares, summed over a batch, of the elements of every example's gradients in the
 * basis of the eigenvectors of both factors.
 */
export function correctionsGraph(loss: FactoredLoss): Graph {
  const builder = GraphBuilder.from(loss.graph);
  const gradients = pulledGradients(builder, loss);
  const places = countedPlaces(builder, loss);
  const sums = loss.layers.flatMap((layer) => {
    const g = inBasis(entry(gradients, layer.output, "gradient"), factorName.outputVectors(layer.output));
    const made: Value[] = [];
    if (layer.weight !== undefined) {
      const x = inBasis(places(layer), factorName.inputVectors(layer.output));
      made.push(builder.rename(squaresOfProducts(g, x), factorName.inputs(layer.output)));
    }
    if (layer.bias !== undefined) {
      const ofExamples = reduceSum(g, { axes: [1] });
      const squares = reduceSum(mul(ofExamples, ofExamples), { axes: [0] });
      made.push(builder.rename(squares, factorName.bias(layer.output)));
    }
    return made;
  });
  return shareNodes(builder.build(sums));
}

/**
 * Computes `sum (sum_s g_s x_s')^2` over examples, of `[batch, places, outputs]` and `[batch, places,
 * inputs]`.
 */
function squaresOfProducts(g: Value, x: Value): Value {
  if (g.shape[1] === 1) return matMul(transposeLast(flat(mul(g, g))), flat(mul(x, x)));
  const products = matMul(transposeLast(g), x);
  return reduceSum(mul(products, products), { axes: [0] });
}

/** Computes `v v'`, summed over all rows `v` of `[batch, places, size]`. */
const squareOf = (x: Value): Value => matMul(transposeLast(flat(x)), flat(x));

/** Joins batch and places. */
const flat = (x: Value): Value => reshape(x, [-1, x.shape.at(-1) ?? 1]);

function inBasis(x: Value, name: string): Value {
  const size = x.shape.at(-1) ?? 1;
  return matMul(x, x.builder.input(name, { dtype: x.dtype, shape: [size, size] }));
}

/** Returns a function that gives the inputs of a layer, 0 for examples that do not count. */
function countedPlaces(builder: GraphBuilder, { output }: FactoredLoss): (layer: KroneckerLayer) => Value {
  const { dtype, shape } = builder.value(output);
  const counted = builder.input(FACTOR_INPUTS.counted, { dtype, shape: [at(shape, 0, "extent"), 1, 1] });
  return (layer) => mul(inputsOf(builder, layer, counted), counted);
}

/** Returns the inputs of a layer, `[batch, places, inputs]`; the windows of a convolution. */
function inputsOf(
  builder: GraphBuilder,
  { convolution, input, output }: KroneckerLayer,
  { shape: [batch = 1] }: Value,
): Value {
  const x = builder.value(input);
  if (convolution === undefined) return placesOf(x, batch);
  const channels = at(x.shape, 1, "extent");
  const taps = builder.value(at(convolution.inputs, 1, "input")).shape.slice(2);
  const size = sizeOf(taps);
  // A convolution that copies each tap of each channel to a channel of its own gives the windows.
  const copies = Array.from({ length: channels * size * size }, (_, i) =>
    (i % size ** 2) % (size + 1) === 0 ? 1 : 0,
  );
  const kernel = builder.numbers(copies, x.dtype, [channels * size, 1, ...taps]);
  const shape = [batch, channels * size, ...builder.value(output).shape.slice(2)];
  const attributes = { ...Object.fromEntries(convolution.attributes), group: int(channels) };
  const [windows = x] = builder.emit("Conv", [x, kernel], [{ dtype: x.dtype, shape }], { attributes });
  return channelsLast(windows);
}

/**
 * Returns gradients of the weighted sum of the output by the outputs of layers, `[batch, places, outputs]`.
 */
function pulledGradients(builder: GraphBuilder, { graph, output, layers }: FactoredLoss): Map<string, Value> {
  const pulled = pullBack(graph, {
    cotangents: new Map([[output, FACTOR_INPUTS.cotangent]]),
    withRespectTo: layers.map((layer) => layer.output),
    nameOf: factorName.outputs,
  });
  const cotangent = builder.input(FACTOR_INPUTS.cotangent, builder.value(output));
  const [batch = 1] = cotangent.shape;
  const values = builder.inline(pulled, new Map([[FACTOR_INPUTS.cotangent, cotangent]]));
  return new Map(
    layers.map((layer) => {
      const g = entry(values, factorName.outputs(layer.output), "gradient");
      return [layer.output, layer.convolution === undefined ? placesOf(g, batch) : channelsLast(g)];
    }),
  );
}

/**
 * Joins all axes between the batch and the last; rows of a matrix that belong to one example follow one
 * another.
 */
function placesOf(x: Value, batch: number): Value {
  const isOfExamples = x.shape.length === 2 ? at(x.shape, 0, "extent") % batch === 0 : x.shape[0] === batch;
  if (isOfExamples) return reshape(x, [batch, -1, x.shape.at(-1) ?? 1]);
  throw new UnsupportedError(
    `Cannot find the examples of "${x.name}" as its first extent must be the batch of ${batch}: it is ${formatShape(x.shape)}; name parameters of other layers`,
    { feature: "Kronecker factors" },
  );
}

function channelsLast(x: Value): Value {
  const [batch = 1, channels = 1, ...spatial] = x.shape;
  const moved = transpose(x, [0, ...spatial.map((_, axis) => axis + 2), 1]);
  return reshape(moved, [batch, sizeOf(spatial), channels]);
}
