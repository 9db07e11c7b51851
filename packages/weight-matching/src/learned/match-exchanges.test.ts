import { createCheckpoint, createRandom, createTensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import type { Exchange } from "@isthmus/symmetry";
import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../../../test/helpers/graph-builder.ts";
import { randomExamples } from "../../../../test/helpers/random-examples.ts";
import { matchExchanges } from "./match-exchanges.ts";

const INPUTS = 6;
const SHARES = 5;
const PLACES = 3;

// Shares of parts at three places of each example, `[N, parts, places]`; a second value has them last.
const builder = new GraphBuilder();
const product = builder.op("MatMul", [
  builder.input("x", [INPUTS]),
  builder.weight("w", [INPUTS, SHARES * PLACES]),
]);
const shares = builder.reshape(product, 0, SHARES, PLACES);
const last = builder.transpose(shares, 0, 2, 1);
const architecture = {
  graph: builder.output(shares).output(last).build(),
  engine: createOnnxRuntimeEngine(),
};
const data = randomExamples([INPUTS], { size: 40, mean: 1 });
const options = { data, examples: 40, batchSize: 15 };

/** A network whose share `i` is share `from[i]` of the first one, larger by a factor and with noise. */
function network(from: readonly number[], seed: number, size = 1) {
  const [own, noise] = [createRandom(3, "shares"), createRandom(seed, "noise")];
  const original = Float32Array.from({ length: INPUTS * SHARES * PLACES }, () => own.normal());
  const moved = original.map((_, i) => {
    const [row, share] = [Math.floor(i / (SHARES * PLACES)), Math.floor(i / PLACES) % SHARES];
    const source = (row * SHARES + (from[share] ?? share)) * PLACES + (i % PLACES);
    return size * ((original[source] ?? 0) + 0.1 * noise.normal());
  });
  return createCheckpoint({ w: createTensor("f32", [INPUTS, SHARES * PLACES], moved) });
}

const exchange = (value: Exchange["shares"], indices: readonly number[]): Exchange => ({
  name: "experts",
  parts: indices.map((index) => [`experts.${index}`]),
  selectors: [],
  shares: value,
  indices: value === undefined ? [] : indices,
  sum: "sum",
});

const SAME = [0, 1, 2, 3, 4];

describe("matchExchanges()", () => {
  test.each([
    ["first", shares, 1],
    ["last", last, 2],
  ])("finds the part whose shares are most alike, if shares come %s", async (_, value, axis) => {
    const pair = [network(SAME, 1), network([2, 0, 1, 4, 3], 2, 3)] as const;
    const all = await matchExchanges(architecture, pair, [exchange({ value, axis }, SAME)], options);
    expect(all.map((order) => [...order])).toEqual([[1, 2, 0, 4, 3]]);
    // Exchanges of some parts, in the order of their shares' indices; others stay.
    const some = await matchExchanges(
      architecture,
      pair,
      [
        exchange({ value, axis }, [4, 3]),
        exchange(undefined, [7, 8, 9]),
        exchange({ value, axis }, [0, 1, 2]),
      ],
      options,
    );
    expect(some.map((order) => [...order])).toEqual([
      [1, 0],
      [0, 1, 2],
      [1, 2, 0],
    ]);
  });

  test("goes by how shares vary together, whatever their means", async () => {
    // The means of shares are far larger than their changes, and in another order.
    const biased = new GraphBuilder();
    const x = biased.input("x", [INPUTS]);
    const sum = biased.op("Add", [
      biased.op("MatMul", [x, biased.weight("w", [INPUTS, 3])]),
      biased.weight("b", [3]),
    ]);
    const graph = biased.output(sum).build();
    const random = createRandom(1, "weights");
    const rows = Float32Array.from({ length: INPUTS * 3 }, () => random.normal());
    const withMeans = (from: readonly number[], means: readonly number[]) =>
      createCheckpoint({
        w: createTensor(
          "f32",
          [INPUTS, 3],
          rows.map((_, i) => rows[i - (i % 3) + (from[i % 3] ?? 0)] ?? 0),
        ),
        b: createTensor("f32", [3], Float32Array.from(means)),
      });
    const pair = [withMeans([0, 1, 2], [100, -50, 0]), withMeans([1, 2, 0], [100, -50, 0])] as const;
    const [order] = await matchExchanges(
      { ...architecture, graph },
      pair,
      [exchange({ value: sum, axis: 1 }, [0, 1, 2])],
      options,
    );
    expect([...(order ?? [])]).toEqual([2, 0, 1]);
  });

  test("says what it was about to do if data do not fit", async () => {
    const pair = [network(SAME, 1), network(SAME, 2)] as const;
    const wide = { ...options, data: randomExamples([INPUTS + 1], { size: 40 }) };
    const matching = matchExchanges(architecture, pair, [exchange({ value: shares, axis: 1 }, SAME)], wide);
    await expect(matching).rejects.toThrow("Cannot match experts");
  });

  test("runs no network if no part has shares", async () => {
    const refusing = {
      ...architecture,
      engine: { ...architecture.engine, load: () => Promise.reject(new Error("run")) },
    };
    const pair = [network(SAME, 1), network(SAME, 2)] as const;
    const orders = await matchExchanges(refusing, pair, [exchange(undefined, [1, 2, 3])], options);
    expect(orders.map((order) => [...order])).toEqual([[0, 1, 2]]);
  });
});
