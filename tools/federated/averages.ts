import {
  at,
  type Checkpoint,
  createCheckpoint,
  createTensor,
  entry,
  type Tensor,
  toFloat64,
  withTensors,
} from "@isthmus/core";
import { createMatrix, type MatrixProducts } from "@isthmus/linear-algebra";
import { linear, merge, regmean } from "@isthmus/merging";
import { gramOf, type LinearLayer, type Moments, poolMoments, withBiasColumn } from "./client-moments.ts";
import type { Client } from "./clients.ts";

/** Networks in the same coordinates, of clients in the same order. */
export interface Cohort {
  readonly networks: readonly Checkpoint[];
  readonly clients: readonly Client[];
  readonly layers: readonly LinearLayer[];
}

/** Averages networks by the number of examples of their clients. */
export function averageByExamples({ networks, clients }: Omit<Cohort, "layers">): Checkpoint {
  const weight = clients.map(({ data }) => data.size);
  return merge([...networks], { method: linear, parameters: { weight } });
}

/** Averages the rows of the last layer by the number of examples of their class that each client has. */
export async function averageRowsByClass(
  mean: Checkpoint,
  { networks, clients, layers }: Cohort,
): Promise<Checkpoint> {
  const { weight, bias } = at(layers, layers.length - 1);
  const classes = at(clients, 0).counts.length;
  const replaced = new Map<string, Tensor>();
  for (const name of [weight, bias]) {
    const { shape } = entry(mean.tensors, name, "tensor");
    const out = new Float32Array(shape.reduce((a, b) => a * b, 1));
    const row = out.length / classes;
    for (const [i, network] of networks.entries()) {
      const { data } = await network.read(name);
      for (let p = 0; p < out.length; p++) {
        out[p] = at(out, p) + shareOfClass(clients, i, Math.floor(p / row)) * Number(data[p]);
      }
    }
    replaced.set(name, createTensor("f32", shape, out));
  }
  return withTensors(mean, replaced);
}

/** Share of a client in all examples of a class. */
function shareOfClass(clients: readonly Client[], i: number, label: number): number {
  const total = clients.reduce((sum, { counts }) => sum + at(counts, label), 0);
  return at(at(clients, i).counts, label) / total;
}

/** How {@link averageByRegression} weighs what clients send. */
export interface RegressionOptions {
  readonly products: MatrixProducts;
  /** Share of the mean diagonal that is added to each Gram matrix, so that rare inputs are averaged. */
  readonly ridge: number;
  /** Whether each row of the last layer weighs clients by their share of the class. */
  readonly byClass: boolean;
}

/**
 * Fits each linear layer, with its bias, to what the clients' layers give on their own inputs: RegMean by
 * moments that clients send.
 * @param moments - of each client, of each layer
 */
export async function averageByRegression(
  mean: Checkpoint,
  { networks, clients, layers }: Cohort,
  moments: readonly (readonly Moments[])[],
  { products, ridge, byClass }: RegressionOptions,
): Promise<Checkpoint> {
  const replaced = new Map<string, Tensor>();
  for (const [l, { weight, bias }] of layers.entries()) {
    const [outputs = 0, inputs = 0] = entry(mean.tensors, weight, "tensor").shape;
    const [solved, biases] = [new Float32Array(outputs * inputs), new Float32Array(outputs)];
    const isLast = l === layers.length - 1;
    const groups = byClass && isLast ? outputs : 1;
    const size = outputs / groups;
    for (let group = 0; group < groups; group++) {
      const rows = [group * size, (group + 1) * size] as const;
      const parts: Checkpoint[] = [];
      const grams: Checkpoint[] = [];
      for (const [i, network] of networks.entries()) {
        const share = shareOfClass(clients, i, group);
        if (groups > 1 && share === 0) continue;
        // Of equal weight for every class a client would count by its examples alone.
        const factor = groups > 1 ? share / at(clients, i).data.size : 1;
        const gram = gramOf(at(at(moments, i), l), factor);
        addRidge(gram, ridge);
        parts.push(withBiasColumn(await network.read(weight), await network.read(bias), rows));
        grams.push(createCheckpoint({ layer: gram }));
      }
      const { data } = await regmean(parts, grams, { offDiagonal: 1, products }).read("layer");
      for (let row = 0; row < size; row++) {
        const begin = row * (inputs + 1);
        const place = at(rows, 0) + row;
        solved.set(data.subarray(begin, begin + inputs) as Float64Array, place * inputs);
        biases[place] = Number(data[begin + inputs]);
      }
    }
    replaced.set(weight, createTensor("f32", [outputs, inputs], solved));
    replaced.set(bias, createTensor("f32", [outputs], biases));
  }
  return withTensors(mean, replaced);
}

function addRidge({ data, shape }: Tensor, ridge: number): void {
  const n = at(shape, 0);
  let trace = 0;
  for (let u = 0; u < n; u++) trace += Number(data[u * (n + 1)]);
  for (let u = 0; u < n; u++) data[u * (n + 1)] = Number(data[u * (n + 1)]) + (ridge * trace) / n;
}

/**
 * Repairs the hidden layers of an average by what clients sent, without examples: each pre-activation is
 * given the mean and deviation that the clients' networks have over all their examples together. Those of
 * the average are computed from the pooled moments of the clients' inputs, which is exact in the first layer
 * and elsewhere supposes that inputs of the repaired average are correlated as the clients' are.
 */
export async function repairByMoments(
  mean: Checkpoint,
  { networks, layers }: Cohort,
  moments: readonly (readonly Moments[])[],
  products: MatrixProducts,
): Promise<Checkpoint> {
  const replaced = new Map<string, Tensor>();
  for (const [l, layer] of layers.slice(0, -1).entries()) {
    const ofLayer = moments.map((client) => at(client, l));
    const goals: Moments[] = [];
    for (const [i, network] of networks.entries())
      goals.push(await outputMoments(network, layer, at(ofLayer, i), products));
    const goal = poolDiagonals(goals);
    const now = await outputMoments(mean, layer, poolMoments(ofLayer), products);
    const [weight, bias] = [await mean.read(layer.weight), await mean.read(layer.bias)];
    const inputs = at(weight.shape, 1);
    const factors = goal.covariance.map((variance, u) => {
      const current = at(now.covariance, u);
      return current > 1e-12 ? Math.sqrt(variance / current) : 1;
    });
    const scaled = Float32Array.from(
      weight.data as Float32Array,
      (x, p) => x * at(factors, Math.floor(p / inputs)),
    );
    const shifted = Float32Array.from(
      bias.data as Float32Array,
      (b, u) => at(goal.mean, u) + at(factors, u) * (b - at(now.mean, u)),
    );
    replaced.set(layer.weight, createTensor("f32", weight.shape, scaled));
    replaced.set(layer.bias, createTensor("f32", bias.shape, shifted));
  }
  return withTensors(mean, replaced);
}

/** Computes means and variances (as `covariance`, `[outputs]`) of a layer's outputs from its inputs' moments. */
async function outputMoments(
  network: Checkpoint,
  { weight, bias }: LinearLayer,
  { count, mean, covariance }: Moments,
  products: MatrixProducts,
): Promise<Moments> {
  const { data, dtype, shape } = await network.read(weight);
  const [outputs = 0, inputs = 0] = shape;
  const w = toFloat64(data, dtype);
  const { data: b } = await network.read(bias);
  const product = await products.multiply(
    createMatrix(outputs, inputs, w),
    createMatrix(inputs, inputs, covariance),
  );
  const means = new Float64Array(outputs);
  const variances = new Float64Array(outputs);
  for (let u = 0; u < outputs; u++) {
    let [sum, square] = [Number(b[u]), 0];
    for (let v = 0; v < inputs; v++) {
      const x = at(w, u * inputs + v);
      sum += x * at(mean, v);
      square += x * Number(product.data[u * inputs + v]);
    }
    means[u] = sum;
    variances[u] = Math.max(0, square);
  }
  return { count, mean: means, covariance: variances };
}

/** Pools means and variances of clients; `covariance` is `[units]` here. */
function poolDiagonals(parts: readonly Moments[]): Moments {
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  const pool = (values: (part: Moments, u: number) => number) =>
    at(parts, 0).mean.map((_, u) =>
      parts.reduce((sum, part) => sum + (part.count / count) * values(part, u), 0),
    );
  const mean = pool((part, u) => at(part.mean, u));
  const covariance = pool((part, u) => at(part.covariance, u) + (at(part.mean, u) - at(mean, u)) ** 2);
  return { count, mean, covariance };
}

/** Gives each row of the hidden layers the mean norm of the clients' rows: repair by weights alone. */
export async function rescaleRows(mean: Checkpoint, { networks, layers }: Cohort): Promise<Checkpoint> {
  const replaced = new Map<string, Tensor>();
  for (const { weight, bias } of layers.slice(0, -1)) {
    const norms = (await Promise.all(networks.map((network) => rowNorms(network, weight)))).reduce(
      (sum, one) => sum.map((x, u) => x + at(one, u)),
    );
    const current = await rowNorms(mean, weight);
    const factors = norms.map((x, u) => x / networks.length / at(current, u));
    for (const name of [weight, bias]) {
      const { data, shape } = await mean.read(name);
      const row = data.length / factors.length;
      const scaled = Float32Array.from(data as Float32Array, (x, p) => x * at(factors, Math.floor(p / row)));
      replaced.set(name, createTensor("f32", shape, scaled));
    }
  }
  return withTensors(mean, replaced);
}

async function rowNorms(network: Checkpoint, name: string): Promise<Float64Array> {
  const { data, shape } = await network.read(name);
  const [outputs = 0, inputs = 0] = shape;
  const norms = new Float64Array(outputs);
  data.forEach((x: number | bigint, p: number) => {
    const u = Math.floor(p / inputs);
    norms[u] = at(norms, u) + Number(x) ** 2;
  });
  return norms.map(Math.sqrt);
}
