import { readFileSync } from "node:fs";
import { type TunedEpoch, tuneByConnectivity } from "@isthmus/connectivity";
import { createCheckpoint } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { parseNetwork } from "@isthmus/zoo";
import { expect, it } from "vitest";
import { waves } from "../../../test/helpers/waves.ts";

/** What PyTorch computes in f64, as the paper's code does; see tools/golden/mechanisms.py. */
const golden: {
  readonly epochs: readonly TunedEpoch[];
  readonly weights: Readonly<Record<string, readonly number[]>>;
} = JSON.parse(readFileSync(new URL("golden/tune.json", import.meta.url), "utf8"));

it("tunes as the code of the paper does", async () => {
  const dataOf = (seed: number) =>
    createDataSet(
      waves([12, 1, 4, 4], seed, 1),
      Int32Array.from({ length: 12 }, (_, i) => i % 3),
      { name: `waves ${seed}`, classes: 3 },
    );
  const [clean, cue] = [dataOf(1), dataOf(2)];
  const { graph, initialize } = parseNetwork("mlp:5", clean);
  const names = [...initialize(0).tensors];
  const network = createCheckpoint(
    new Map(names.map(([name, { shape }], i) => [name, waves(shape, 5 + i, 0.5)] as const)),
  );
  const { weights, epochs, gradients } = await tuneByConnectivity(
    { graph, engine: createOnnxRuntimeEngine() },
    network,
    { clean, cue },
    {
      ...{ seed: 7, epochs: 6, batch: 12, learningRate: 0.2, weightDecay: 0.01 },
      ...{ margin: 2, invariance: 3, warmup: 1 },
    },
  );
  expect(gradients).toBe(2 * 6 + 5);
  for (const [epoch, losses] of golden.epochs.entries()) {
    for (const name of ["clean", "onLine", "invariance"] as const) {
      expect(epochs[epoch]?.[name], `${name} of epoch ${epoch}`).toBeCloseTo(losses[name], 4);
    }
  }
  expect(Object.keys(golden.weights)).toEqual([...weights.tensors.keys()]);
  for (const [name, expected] of Object.entries(golden.weights)) {
    const values = (await weights.read(name)).data;
    for (const [i, value] of expected.entries()) expect(Number(values[i]), name).toBeCloseTo(value, 4);
  }
});
