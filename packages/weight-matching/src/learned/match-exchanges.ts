import { at, type Checkpoint, sizeOf, type Tensor, toFloat64 } from "@isthmus/core";
import type { Architecture } from "@isthmus/graph";
import type { Exchange } from "@isthmus/symmetry";
import { bestAssignment } from "./closed-form/head-families.ts";
import { type RunBothOptions, runBoth } from "./closed-form/run-both.ts";

/**
 * Assigns each part of B, such as an expert of a mixture, to the place of a part of A, so that both networks
 * give parts the most similar shares on the same inputs. No rotation or permutation of other units changes a
 * share, so parts are assigned before any other step.
 *
 * @returns the order of B's parts for each exchange; parts that have no shares stay
 */
export async function matchExchanges(
  architecture: Architecture,
  networks: readonly [Checkpoint, Checkpoint],
  exchanges: readonly Exchange[],
  options: RunBothOptions,
): Promise<Int32Array[]> {
  const grams = exchanges.map(({ parts }) => createGram(parts.length));
  const names = exchanges.flatMap(({ shares }) => (shares === undefined ? [] : [shares.value]));
  if (names.length > 0) {
    for await (const runs of runBoth(architecture, networks, { attempt: "match experts", names }, options)) {
      exchanges.forEach(({ shares, indices }, index) => {
        if (shares === undefined) return;
        const [a, b] = runs.valuesOf(shares.value);
        at(grams, index, "exchange").add(
          sharesOf(a, shares.axis, indices),
          sharesOf(b, shares.axis, indices),
        );
      });
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
function sharesOf({ data, dtype, shape }: Tensor, axis: number, indices: readonly number[]): Float64Array[] {
  const values = toFloat64(data, dtype);
  const inner = sizeOf(shape.slice(axis + 1));
  const extent = at(shape, axis, "axis");
  return indices.map((index) =>
    values.filter((_value, place) => Math.floor(place / inner) % extent === index),
  );
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
