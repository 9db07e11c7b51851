import {
  at,
  type Checkpoint,
  createCheckpoint,
  createTensor,
  entry,
  type Tensor,
  withTensors,
} from "@isthmus/core";
import type { MatrixProducts } from "@isthmus/linear-algebra";
import { regmean } from "@isthmus/merging";
import { type Cohort, shareOfClass } from "./averages.ts";
import { gramOf, type Moments, withBiasColumn } from "./client-moments.ts";

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
        const ofClient = at(at(moments, i), l);
        const gram = gramOf(ofClient, (groups > 1 ? share : at(clients, i).weight) / ofClient.count);
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
