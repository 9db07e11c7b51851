import { at, type Checkpoint, createRandom, createTensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import type { Architecture, DataSet } from "@isthmus/graph";
import { createMatrix, type MatrixProducts } from "@isthmus/linear-algebra";
import type { Cohort } from "./averages.ts";
import { gramOf, type LinearLayer, type Moments, measureMoments } from "./client-moments.ts";
import {
  type Equations,
  type FindEquations,
  fitInOrder,
  measureCross,
  solve,
  transposedLayer,
} from "./cross-moments.ts";

/** Options of {@link regressOntoImagined}. */
export interface RegressOntoImaginedOptions {
  /** Network whose layers are replaced one after another, in the coordinates of the clients' networks. */
  readonly mean: Checkpoint;
  readonly products: MatrixProducts;
  /** Share of the mean diagonal of Gram matrices, as of {@link regressOntoOutputs}. */
  readonly ridge: number;
  /** Inputs that are drawn for each client. */
  readonly draws: number;
  readonly seed: number;
}

/**
 * Fits layers one after another to what clients' own layers give, as `regressOntoOutputs` does, in a single
 * exchange: the server draws inputs of the graph from a normal distribution with the client's mean and
 * covariances, and finds on them how inputs of a layer of the average follow from inputs of the client's layer.
 *
 * With own inputs `h`, of which the moments `G = H'H` were sent, and drawn examples, inputs of the average are
 * `A'h` and a rest of covariances `C`, by least squares on the draws. So the sums of products of inputs of the
 * average are `A'GA + nC`, and with outputs of the client's layer `A'GW'`: what the draws lack beyond second
 * moments touches `A` and `C` alone. The first layer needs no draws, as in RegMean.
 * @param moments - of each client, of each layer, of which the first reads the input of the graph
 */
export async function regressOntoImagined(
  architecture: Architecture,
  cohort: Cohort,
  moments: readonly (readonly Moments[])[],
  options: RegressOntoImaginedOptions,
): Promise<Checkpoint> {
  const { mean, products, draws, seed } = options;
  const imagined: DataSet[] = [];
  for (const [i, { data }] of cohort.clients.entries()) {
    imagined.push(await imagine(data, at(at(moments, i), 0), { products, draws, seed: seed + i }));
  }
  const find: FindEquations = async (network, i, l) => {
    const own = at(cohort.networks, i);
    const layer = at(cohort.layers, l);
    const sent = at(at(moments, i), l);
    const count = at(cohort.clients, i).weight;
    const gram = gramOf(sent, count / sent.count).data as Float64Array;
    const weight = await transposedLayer(own, layer);
    if (l === 0) return { gram, cross: await multiplied(gram, weight, products) };
    const data = at(imagined, i);
    return propagate(architecture, [network, own], { data, layer, gram, count, weight, products });
  };
  let fitted = mean;
  for await (const { network } of fitInOrder(cohort, options, find)) fitted = network;
  return fitted;
}

/** Numbers that a client sent about a layer, and the examples that were drawn for the client. */
interface Propagating {
  readonly data: DataSet;
  readonly layer: LinearLayer;
  /** Sums of products of the layer's own inputs and a 1, as of `count` examples. */
  readonly gram: Float64Array;
  /** Weight of the client, as a number of examples. */
  readonly count: number;
  /** The client's own layer, `[inputs + 1, outputs]`. */
  readonly weight: Float64Array;
  readonly products: MatrixProducts;
}

/** Finds the equations of a layer of the average from the moments of the client's own layer, and draws. */
async function propagate(
  architecture: Architecture,
  [average, own]: readonly [Checkpoint, Checkpoint],
  { data, layer, gram, count, weight, products }: Propagating,
): Promise<Equations> {
  const drawn = async (network: Checkpoint) =>
    gramOf(at(await measureMoments(architecture, network, data, [layer]), 0)).data as Float64Array;
  const [ofOwn, ofAverage] = [await drawn(own), await drawn(average)];
  const values = [layer.input, layer.input] as const;
  const cross = withOnes(await measureCross(architecture, [own, average], data, values), ofOwn);
  const n = Math.sqrt(gram.length);
  const same = Float64Array.from(cross, (_, p) => Number(p % (n + 1) === 0));
  const { data: map } = await solve(layer.weight, { gram: ofOwn, cross }, same, {
    products,
    ridge: MAP_RIDGE,
  });
  const a = map as Float64Array;
  const rest = await multiplied(a, cross, products, true);
  const explained = await multiplied(a, await multiplied(ofOwn, a, products), products, true);
  const moved = await multiplied(a, gram, products, true);
  const sums = await multiplied(moved, a, products);
  const turned = (p: number) => at(rest, (p % n) * n + Math.floor(p / n));
  const scale = count / data.size;
  return {
    gram: sums.map((x, p) => x + scale * (at(ofAverage, p) - at(rest, p) - turned(p) + at(explained, p))),
    cross: await multiplied(moved, weight, products),
  };
}

/**
 * Share of the mean diagonal that draws the map from own inputs to inputs of the average to the identity, with
 * which the equations are RegMean's.
 */
const MAP_RIDGE = 0.01;

/** Appends a column of the sums of the first value, and of the number of examples, to products with a second. */
function withOnes(cross: Float64Array, gram: Float64Array): Float64Array {
  const n = Math.sqrt(gram.length);
  return Float64Array.from({ length: n * n }, (_, p) => {
    const [row, column] = [Math.floor(p / n), p % n];
    return column === n - 1 ? at(gram, row * n + n - 1) : at(cross, row * (n - 1) + column);
  });
}

/** Multiplies a square matrix, or its transpose, by a matrix. */
async function multiplied(
  left: Float64Array,
  right: Float64Array,
  products: MatrixProducts,
  transposeLeft = false,
): Promise<Float64Array> {
  const n = Math.round(Math.sqrt(left.length));
  const result = await products.multiply(createMatrix(n, n, left), createMatrix(n, right.length / n, right), {
    transposeLeft,
  });
  return result.data as Float64Array;
}

/** Draws inputs from a normal distribution with the mean and covariances of a client's inputs. */
async function imagine(
  { exampleShape, classes }: DataSet,
  { mean, covariance }: Moments,
  { products, draws, seed }: Pick<RegressOntoImaginedOptions, "products" | "draws" | "seed">,
): Promise<DataSet> {
  const n = mean.length;
  const random = createRandom(seed, "imagined inputs");
  const normal = Float64Array.from({ length: draws * n }, () => random.normal());
  const { data } = await products.multiply(
    createMatrix(draws, n, normal),
    createMatrix(n, n, choleskyOf(covariance)),
    { transposeRight: true },
  );
  const inputs = Float32Array.from(data, (x, p) => x + at(mean, p % n));
  const tensor = createTensor("f32", [draws, ...exampleShape], inputs);
  return createDataSet(tensor, new Int32Array(draws), { name: "imagined", classes });
}

/** Share of the largest variance below which a direction counts as constant. */
const CONSTANT = 1e-9;

/** Factors a covariance matrix, which may be singular: `L L' = C` with a lower triangle `L`, `[n, n]`. */
function choleskyOf(covariance: Float64Array): Float64Array {
  const n = Math.sqrt(covariance.length);
  const lower = new Float64Array(n * n);
  let largest = 0;
  for (let j = 0; j < n; j++) largest = Math.max(largest, at(covariance, j * (n + 1)));
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = covariance[i * n + j] as number;
      for (let k = 0; k < j; k++) sum -= (lower[i * n + k] as number) * (lower[j * n + k] as number);
      const pivot = lower[j * (n + 1)] as number;
      if (i === j) lower[j * (n + 1)] = sum > CONSTANT * largest ? Math.sqrt(sum) : 0;
      else lower[i * n + j] = pivot > 0 ? sum / pivot : 0;
    }
  }
  return lower;
}
