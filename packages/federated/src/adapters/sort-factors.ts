import {
  allocateData,
  type Checkpoint,
  composeCheckpoint,
  createCheckpoint,
  createTensor,
  entry,
  fromFloat64Into,
  type Tensor,
} from "@isthmus/core";
import { svd } from "@isthmus/linear-algebra";
import { coreOf, shareSpace, spreadSvd } from "@isthmus/merging";
import type { Treatment } from "../layers/treatment.ts";
import { tensorsOf } from "./aggregate-pair.ts";
import { type FactorPair, findFactorPairs } from "./factor-pairs.ts";
import { factorsOf } from "./gauge.ts";
import { products, readScaled } from "./low-rank.ts";

/**
 * Returns a network whose shared adapters are written as an aggregation writes them, largest singular values
 * first, so that a client of a smaller rank has the best approximation in the first rows and columns.
 * The products of the factors do not change. A network without shared adapters is returned itself.
 * @param treatments - treatment of every tensor
 */
export async function sortFactors(
  network: Checkpoint,
  treatments: ReadonlyMap<string, Treatment>,
): Promise<Checkpoint> {
  const pairs = findFactorPairs(network, treatments);
  if (pairs.length === 0) return network;
  const sorted = new Map<string, Tensor>();
  for (const pair of pairs) {
    for (const [name, values] of await sortPair(network, pair)) {
      const { dtype, shape } = entry(network.tensors, name, "tensor");
      const data = allocateData(dtype, values.length);
      fromFloat64Into(values, dtype, data);
      sorted.set(name, createTensor(dtype, shape, data));
    }
  }
  const factors = createCheckpoint(sorted);
  const places = [...network.tensors.keys()].map(
    (name) => [name, { checkpoint: sorted.has(name) ? factors : network, name }] as const,
  );
  return composeCheckpoint(new Map(places), { source: network.source, metadata: network.metadata });
}

async function sortPair(network: Checkpoint, pair: FactorPair) {
  const factors = await readScaled({ network, scaleOf: undefined }, { ...pair, alpha: undefined });
  const space = await shareSpace([factors], products);
  const inner = svd(await coreOf(space, factors, products));
  const product = await spreadSvd(space, inner, { rank: pair.rank, products });
  return tensorsOf(pair, factorsOf(product, pair.rank, { before: factors }));
}
