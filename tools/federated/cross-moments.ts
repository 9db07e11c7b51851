import { at, type Checkpoint, createTensor, entry, MismatchError, withTensors } from "@isthmus/core";
import type { Architecture, DataSet, Graph } from "@isthmus/graph";
import {
  createMatrix,
  type Matrix,
  type MatrixProducts,
  solvePositiveDefinite,
} from "@isthmus/linear-algebra";
import { crossStatistics } from "@isthmus/statistics";
import type { Cohort } from "./averages.ts";
import { bytesOfMoments, gramOf, type LinearLayer, measureMoments } from "./client-moments.ts";

/** Options of {@link regressOntoOutputs}. */
export interface RegressOntoOutputsOptions {
  /** Network whose layers are replaced one after another, in the coordinates of the clients' networks. */
  readonly mean: Checkpoint;
  readonly products: MatrixProducts;
  /** Share of the mean diagonal of the Gram matrix that draws a layer to the one of `mean`. */
  readonly ridge: number;
}

/** Sums of products over examples that a layer is fitted to, with a 1 after the inputs. */
export interface Equations {
  /** Of inputs with inputs, `[inputs + 1, inputs + 1]`. */
  readonly gram: Float64Array;
  /** Of inputs with outputs, `[inputs + 1, outputs]`. */
  readonly cross: Float64Array;
}

/** Finds what a layer is fitted to for one client, given the network with the layers so far. */
export type FindEquations = (network: Checkpoint, client: number, layer: number) => Promise<Equations>;

/**
 * Fits linear layers one after another to what each client's own layer gives in its own network: inputs are
 * those of the average, through the layers that are fitted already, and outputs those of the client's
 * network, on the client's examples: `W = (sum of H'H)^-1 (sum of H'Z)`. So a layer makes up for errors of
 * the layers below, which RegMean and RegMean++ pass on.
 *
 * The first layer needs no more than RegMean's moments, which come with the networks. Each further layer is
 * an exchange: the server sends the layers so far, clients send H'H and H'Z.
 * @returns the network after each layer, and the bytes that each client has sent for moments by then
 */
export async function* regressOntoOutputs(
  architecture: Architecture,
  { networks, clients, layers }: Cohort,
  options: RegressOntoOutputsOptions,
): AsyncGenerator<{ readonly network: Checkpoint; readonly upload: number }> {
  let upload = 0;
  const [first] = architecture.graph.weights.keys();
  const find: FindEquations = (network, i, l) =>
    measureEquations(architecture, [network, at(networks, i)], at(clients, i).data, at(layers, l));
  for await (const { network, layer } of fitInOrder({ networks, layers }, options, find)) {
    const [outputs = 0, inputs = 0] = entry(network.tensors, layer.weight, "tensor").shape;
    upload += bytesOfMoments([{ count: 0, mean: new Float64Array(inputs), covariance: new Float64Array() }]);
    // Outputs of the first layer follow from its inputs and the client's network, which the server has.
    if (layer.weight !== first) upload += 4 * (inputs + 1) * outputs;
    yield { network, upload };
  }
}

/** Fits layers one after another to the sums of what is found for all clients. */
export async function* fitInOrder(
  { networks, layers }: Pick<Cohort, "networks" | "layers">,
  { mean, products, ridge }: RegressOntoOutputsOptions,
  find: FindEquations,
): AsyncGenerator<{ readonly network: Checkpoint; readonly layer: LinearLayer }> {
  let network = mean;
  for (const [l, layer] of layers.entries()) {
    const { weight, bias } = layer;
    const [outputs = 0, inputs = 0] = entry(mean.tensors, weight, "tensor").shape;
    const sum = {
      gram: new Float64Array((inputs + 1) ** 2),
      cross: new Float64Array((inputs + 1) * outputs),
    };
    for (const i of networks.keys()) {
      const { gram, cross } = await find(network, i, l);
      addTo(sum.gram, gram);
      addTo(sum.cross, cross);
    }
    const current = await transposedLayer(mean, layer);
    const { data } = await solve(weight, sum, current, { products, ridge });
    const solved = Float32Array.from({ length: outputs * inputs }, (_, p) =>
      at(data, (p % inputs) * outputs + Math.floor(p / inputs)),
    );
    const biases = Float32Array.from(data.subarray(inputs * outputs));
    network = withTensors(
      network,
      new Map([
        [weight, createTensor("f32", [outputs, inputs], solved)],
        [bias, createTensor("f32", [outputs], biases)],
      ]),
    );
    yield { network, layer };
  }
}

/** Reads a layer as a matrix with a row for each input, and one for the bias, `[inputs + 1, outputs]`. */
export async function transposedLayer(
  network: Checkpoint,
  { weight, bias }: LinearLayer,
): Promise<Float64Array> {
  const [w, b] = [await network.read(weight), await network.read(bias)];
  const [outputs = 0, inputs = 0] = w.shape;
  return Float64Array.from({ length: (inputs + 1) * outputs }, (_, p) => {
    const [u, v] = [p % outputs, Math.floor(p / outputs)];
    return Number(v < inputs ? w.data[u * inputs + v] : b.data[u]);
  });
}

/** Measures sums of products of a layer's inputs in one network and its outputs in another. */
async function measureEquations(
  architecture: Architecture,
  [average, trained]: readonly [Checkpoint, Checkpoint],
  data: DataSet,
  layer: LinearLayer,
): Promise<Equations> {
  const moments = at(await measureMoments(architecture, average, data, [layer]), 0);
  const values = [layer.input, outputOf(architecture.graph, layer)] as const;
  const cross = await measureCross(architecture, [average, trained], data, values);
  return { gram: gramOf(moments).data as Float64Array, cross };
}

/**
 * Measures sums of products of a value, and a 1, in one network with a value in another, on the same examples.
 * @returns `[first + 1, second]`
 */
export async function measureCross(
  architecture: Architecture,
  networks: readonly [Checkpoint, Checkpoint],
  data: DataSet,
  values: readonly [string, string],
): Promise<Float64Array> {
  const viewed = (k: 0 | 1) => ({
    ...{ ...architecture, network: networks[k] },
    views: [{ value: values[k], axes: [-1] }],
  });
  const pairs = await crossStatistics([viewed(0), viewed(1)], data);
  const { a, b, covariance } = at(pairs, 0);
  const [inputs, outputs] = [a.mean.length, b.mean.length];
  const cross = new Float64Array((inputs + 1) * outputs);
  for (let u = 0; u < outputs; u++) {
    for (let v = 0; v < inputs; v++) {
      const p = v * outputs + u;
      cross[p] = a.count * (at(covariance, p) + at(a.mean, v) * at(b.mean, u));
    }
    cross[inputs * outputs + u] = a.count * at(b.mean, u);
  }
  return cross;
}

function outputOf({ nodes }: Graph, { weight }: LinearLayer): string {
  return at(nodes.find(({ inputs }) => inputs.includes(weight))?.outputs ?? [], 0);
}

export async function solve(
  name: string,
  { gram, cross }: Equations,
  current: Float64Array,
  { products, ridge }: Omit<RegressOntoOutputsOptions, "mean">,
): Promise<Matrix> {
  const n = Math.sqrt(gram.length);
  let trace = 0;
  for (let u = 0; u < n; u++) trace += at(gram, u * (n + 1));
  const share = (ridge * trace) / n;
  const matrix = Float64Array.from(gram);
  for (let u = 0; u < n; u++) matrix[u * (n + 1)] = at(matrix, u * (n + 1)) + share;
  const right = cross.map((x, p) => x + share * at(current, p));
  const columns = cross.length / n;
  const solved = await solvePositiveDefinite(
    createMatrix(n, n, matrix),
    createMatrix(n, columns, right),
    products,
  );
  if (solved === undefined) {
    throw new MismatchError(
      `Cannot fit "${name}" as its Gram matrix must be positive definite: it is not; raise the ridge above ${ridge}`,
      { parameters: [name] },
    );
  }
  return solved;
}

function addTo(sum: Float64Array, values: Float64Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] = at(sum, i) + at(values, i);
}
