import { at, type Checkpoint, createTensor, type Tensor, toFloat64, withTensors } from "@isthmus/core";
import { createMatrix, type MatrixProducts } from "@isthmus/linear-algebra";
import type { Cohort } from "./averages.ts";
import { type LinearLayer, type Moments, poolMoments } from "./client-moments.ts";

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
export function poolDiagonals(parts: readonly Moments[]): Moments {
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  const pool = (values: (part: Moments, u: number) => number) =>
    at(parts, 0).mean.map((_, u) =>
      parts.reduce((sum, part) => sum + (part.count / count) * values(part, u), 0),
    );
  const mean = pool((part, u) => at(part.mean, u));
  const covariance = pool((part, u) => at(part.covariance, u) + (at(part.mean, u) - at(mean, u)) ** 2);
  return { count, mean, covariance };
}
