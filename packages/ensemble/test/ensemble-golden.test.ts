import { readFileSync } from "node:fs";
import { createCheckpoint } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import {
  type AttackNorm,
  attackExamples,
  meanOfWeights,
  measureAttack,
  predictionQuality,
} from "@isthmus/ensemble";
import { softmaxInto } from "@isthmus/graph";
import { describe, expect, it, test } from "vitest";
import { checkpointNumbers } from "../../../test/helpers/checkpoint-numbers.ts";
import { twoLayerMlp, twoLayerWeights } from "../../../test/helpers/two-layer-mlp.ts";
import { waves } from "../../../test/helpers/waves.ts";

/** What PyTorch computes, in f64; see tools/golden/ensemble.py. */
const golden: {
  readonly gradient: readonly number[];
  readonly attacks: readonly {
    readonly models: "one" | "two";
    readonly norm: AttackNorm;
    readonly epsilon: number;
    readonly steps: number;
    readonly stepSize: number;
    readonly loss: number;
    readonly accuracy: number;
  }[];
  readonly mean: Readonly<Record<string, readonly number[]>>;
  readonly quality: Readonly<Record<"accuracy" | "nll" | "ece" | "brier", number>>;
} = JSON.parse(readFileSync(new URL("golden/ensemble.json", import.meta.url), "utf8"));

const EXAMPLES = 14;
const architecture = { graph: twoLayerMlp({ batchName: "N" }), engine: createOnnxRuntimeEngine() };
const [first, second, third] = [1, 7, 13].map((seed) => createCheckpoint(twoLayerWeights(seed, 0.8))) as [
  ReturnType<typeof createCheckpoint>,
  ReturnType<typeof createCheckpoint>,
  ReturnType<typeof createCheckpoint>,
];
const labels = Int32Array.from({ length: EXAMPLES }, (_, i) => i % 3);
const examples = waves([EXAMPLES, 5], 10, 1.5);
const data = createDataSet(examples, labels, { name: "waves" });

describe("as PyTorch", () => {
  it("a step of the sign method is along the sign of PyTorch's gradient by the inputs", async () => {
    const source = { name: "one", networks: [first] };
    const changed = await attackExamples(architecture, source, data, {
      method: "fgsm",
      epsilon: 0.25,
      batchSize: 4,
    });
    const signs = [...(changed.data as Float32Array)].map((x, i) => Math.sign(x - Number(examples.data[i])));
    expect(signs).toEqual(golden.gradient.map(Math.sign));
  });

  test.each(golden.attacks)("attacks by $models in $norm, $steps steps", async (attack) => {
    const { models, norm, epsilon, steps, stepSize, loss, accuracy } = attack;
    const networks = models === "one" ? [first] : [first, second];
    const numbers = steps === 1 ? {} : { steps, stepSize, randomStart: false };
    const method = steps === 1 ? "fgsm" : "pgd";
    const { sources } = await measureAttack(
      architecture,
      { sources: [{ name: models, networks }], targets: [first] },
      data,
      { method, norm, epsilon, ...numbers, batchSize: 5 },
    );
    expect(sources[0]?.loss.after).toBeCloseTo(loss, 5);
    expect(sources[0]?.targets[0]?.accuracy).toBeCloseTo(accuracy, 12);
  });

  it("the mean of weights is that of AveragedModel", async () => {
    const mean = await meanOfWeights(architecture, [first, second, third], { data });
    const numbers = await checkpointNumbers(mean);
    for (const [name, values] of Object.entries(golden.mean)) {
      expect(values.length).toBeGreaterThan(0);
      values.forEach((value, i) => {
        expect(numbers[name]?.[i]).toBeCloseTo(value, 6);
      });
    }
  });

  it("accuracy, likelihood, calibration error and Brier score are PyTorch's", () => {
    const probabilities = new Float64Array(400 * 3);
    softmaxInto(waves([400, 3], 3, 4).data as Float32Array, 3, probabilities);
    const classes = Int32Array.from({ length: 400 }, (_, i) => (i * i) % 3);
    const quality = predictionQuality({ probabilities, classes: 3 }, classes);
    for (const name of ["accuracy", "nll", "ece", "brier"] as const) {
      expect(quality[name]).toBeCloseTo(golden.quality[name], 10);
    }
  });
});
