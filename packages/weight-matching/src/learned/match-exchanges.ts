import { at, type Checkpoint, entry, type Tensor, toFloat64 } from "@isthmus/core";
import { type Architecture, bindWeights, limitExamples, planFeeds } from "@isthmus/graph";
import type { Exchange } from "@isthmus/symmetry";
import { bestAssignment } from "./closed-form/head-families.ts";
import type { StreamGramsOptions } from "./closed-form/stream-grams.ts";

/**
 * Finds which part of B, such as an expert of a mixture, goes to the place of which of A: the assignment for
 * which both networks give parts the most similar shares on the same inputs. No rotation or permutation of
 * anything else changes a share, so it is found before all else.
 *
 * @returns the order of B's parts for each exchange; parts that have no shares stay
 */
export async function matchExchanges(
  { graph, engine }: Architecture,
  networks: readonly [Checkpoint, Checkpoint],
  exchanges: readonly Exchange[],
  { data, examples, batchSize, signal }: StreamGramsOptions,
): Promise<Int32Array[]> {
  const grams = exchanges.map(({ parts }) => createGram(parts.length));
  const values = exchanges.flatMap(({ shares }) => (shares === undefined ? [] : [shares.value]));
  if (values.length > 0) {
    const seen = limitExamples("match experts", data, examples);
    const plan = planFeeds("match experts", graph, seen, batchSize);
    const session = await engine.load({ ...graph, outputs: values.map((name) => ({ name })) });
    try {
      const weights = await Promise.all(networks.map((network) => bindWeights(graph, network)));
      for (const range of plan.ranges) {
        signal?.throwIfAborted();
        const { feeds } = plan.read(range);
        const runs: ReadonlyMap<string, Tensor>[] = [];
        for (const bound of weights) runs.push(await session.run(new Map([...bound, ...feeds])));
        exchanges.forEach((exchange, index) => {
          const [a, b] = runs.map((results) => sharesOf(exchange, results));
          if (a !== undefined && b !== undefined) at(grams, index, "exchange").add(a, b);
        });
      }
    } finally {
      await session.release();
    }
  }
  return grams.map((gram, index) => {
    const { parts, shares } = at(exchanges, index, "exchange");
    return shares === undefined
      ? Int32Array.from(parts.keys())
      : bestAssignment(gram.covariances(), parts.length);
  });
}

/** Reads the share of each part at each place, `[parts, places]`. */
function sharesOf({ shares, parts, indices }: Exchange, results: ReadonlyMap<string, Tensor>) {
  if (shares === undefined) return undefined;
  const { data, dtype, shape } = entry(results, shares.value, "shares");
  const values = toFloat64(data, dtype);
  const inner = shape.slice(shares.axis + 1).reduce((product, extent) => product * extent, 1);
  const extent = at(shape, shares.axis, "axis");
  return parts.map((_, part) => {
    const index = at(indices, part, "part");
    return values.filter((_value, place) => Math.floor(place / inner) % extent === index);
  });
}

/** Creates the sums of which covariances of the shares of two networks are made. */
function createGram(size: number) {
  const products = new Float64Array(size * size);
  const sums = [new Float64Array(size), new Float64Array(size)] as const;
  let count = 0;
  return {
    add(a: readonly Float64Array[], b: readonly Float64Array[]): void {
      count += at(a, 0, "part").length;
      for (let i = 0; i < size; i++) {
        const [left, right] = [at(a, i, "part"), at(b, i, "part")];
        sums[0][i] = left.reduce((sum, value) => sum + value, at(sums[0], i, "part"));
        sums[1][i] = right.reduce((sum, value) => sum + value, at(sums[1], i, "part"));
        for (let j = 0; j < size; j++) {
          const other = at(b, j, "part");
          let sum = at(products, i * size + j, "pair");
          left.forEach((value, place) => {
            sum += value * at(other, place, "place");
          });
          products[i * size + j] = sum;
        }
      }
    },
    covariances(): Float32Array {
      return Float32Array.from(products, (product, pair) => {
        const [i, j] = [Math.floor(pair / size), pair % size];
        const mean = (at(sums[0], i, "part") * at(sums[1], j, "part")) / Math.max(1, count);
        return product - mean;
      });
    },
  };
}
