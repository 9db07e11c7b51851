import { readFileSync } from "node:fs";
import { type Checkpoint, createCheckpoint } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import {
  measureExampleLosses,
  type OptimizerSpec,
  type Pacing,
  type ScheduleSpec,
  type TrainOptions,
  train,
  type WassersteinOptions,
} from "@isthmus/training";
import { expect, test } from "vitest";
import { numbersOf } from "../../../test/helpers/run-steps.ts";
import { twoLayerMlp, twoLayerWeights } from "../../../test/helpers/two-layer-mlp.ts";
import { waves } from "../../../test/helpers/waves.ts";
import { curriculumSize } from "../src/local/curriculum.ts";

type Numbers = Readonly<Record<string, readonly number[]>>;

/** What PyTorch computes, in f64; see tools/golden/local-training.py. */
const golden: {
  readonly proximal: readonly { readonly optimizer: OptimizerSpec; readonly weights: Numbers }[];
  readonly control: readonly {
    readonly schedule: ScheduleSpec;
    readonly weightDecay: number;
    readonly weights: Numbers;
    readonly weightChange: Numbers;
    readonly I: Numbers;
    readonly II: Numbers;
    readonly changeII: Numbers;
  }[];
  readonly wasserstein: readonly {
    readonly options: WassersteinOptions;
    readonly optimizer: OptimizerSpec;
    readonly weights: Numbers;
  }[];
  readonly pacings: readonly {
    readonly pacing: Pacing;
    readonly examples: number;
    readonly sizes: readonly number[];
  }[];
  readonly losses: readonly { readonly labelSmoothing: number; readonly losses: readonly number[] }[];
} = JSON.parse(readFileSync(new URL("golden/local-training.json", import.meta.url), "utf8"));

const engine = createOnnxRuntimeEngine();
const network = (seed: number, scale = 0.8): Checkpoint => createCheckpoint(twoLayerWeights(seed, scale));

const architecture = { graph: twoLayerMlp({ batchName: "N" }), engine };
const data = createDataSet(waves([6, 5], 10, 1.5), Int32Array.of(0, 1, 2, 0, 1, 2));

const trainAll = (options: Partial<TrainOptions>) =>
  train(architecture, network(1), data, {
    seed: 0,
    epochs: 5,
    batch: 6,
    optimizer: { kind: "sgd" },
    schedule: { kind: "constant", learningRate: 0.1 },
    threads: 1,
    ...options,
  });

async function expectNear(got: Checkpoint | undefined, expected: Numbers, tolerance: number) {
  for (const [name, numbers] of Object.entries(expected)) {
    const tensor = await got?.read(name);
    const values = tensor === undefined ? [] : numbersOf(tensor);
    expect(values.length).toBe(numbers.length);
    const errors = numbers.map((value, i) => Math.abs(value - (values[i] ?? Number.NaN)));
    expect(Math.max(...errors), name).toBeLessThan(tolerance);
  }
}

test.each(golden.proximal)("train() with a proximal term equals PyTorch: $optimizer", async (expected) => {
  const { weights } = await trainAll({
    optimizer: expected.optimizer,
    proximal: { mu: 0.5, reference: network(21) },
  });
  // Adam divides by roots of squared gradients, which magnifies their rounding.
  await expectNear(weights, expected.weights, expected.optimizer.kind === "adam" ? 2e-5 : 1e-6);
});

test.each(golden.control)(
  "train() with control variates equals PyTorch: $schedule.kind, decay $weightDecay",
  async (expected) => {
    const { schedule, weightDecay } = expected;
    for (const option of ["I", "II"] as const) {
      const { weights, controlVariates } = await trainAll({
        optimizer: { kind: "sgd", weightDecay },
        schedule,
        controlVariates: { server: network(31, 0.1), client: network(41, 0.1), option },
      });
      await expectNear(weights, expected.weights, 1e-6);
      await expectNear(controlVariates?.weightChange, expected.weightChange, 1e-6);
      // Option II divides the rounding of the weights by the sum of the learning rates, 0.3 at least.
      await expectNear(controlVariates?.client, expected[option], option === "I" ? 1e-6 : 3e-6);
      if (option === "II") await expectNear(controlVariates?.clientChange, expected.changeII, 3e-6);
    }
  },
);

test.each(golden.wasserstein)(
  "train() by Wasserstein-robust steps equals PyTorch: $options",
  async (expected) => {
    const { weights } = await trainAll({ optimizer: expected.optimizer, wasserstein: expected.options });
    await expectNear(weights, expected.weights, 1e-6);
    // The moves are large enough to tell.
    const plain = await trainAll({ optimizer: expected.optimizer });
    await expect(expectNear(plain.weights, expected.weights, 1e-3)).rejects.toThrow();
  },
);

test.each(golden.pacings)("curriculumSize() equals the authors' of $pacing, $examples", (expected) => {
  const { pacing, examples, sizes } = expected;
  expect(sizes.map((_, step) => curriculumSize(pacing, step / sizes.length, examples))).toEqual(sizes);
});

test.each(golden.losses)(
  "measureExampleLosses() equals PyTorch, smoothing $labelSmoothing",
  async (expected) => {
    const { labelSmoothing, losses } = expected;
    // Batches of 4 leave over 2 examples.
    for (const batch of [6, 4, 1]) {
      const got = await measureExampleLosses(architecture, network(1), data, {
        loss: { labelSmoothing },
        batch,
      });
      losses.forEach((loss, i) => {
        expect(got[i]).toBeCloseTo(loss, 6);
      });
    }
  },
);
