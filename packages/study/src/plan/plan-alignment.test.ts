import { describe, expect, it } from "vitest";
import { fewImages } from "../../test/few-images.ts";
import type { MatchChoice } from "../description/pair-selection.ts";
import type { BarrierMeasurement, StudyDescription } from "../description/study-description.ts";
import { planStudy } from "./plan-study.ts";

const ports = { engine: "none", openData: async (name: string) => fewImages(name, name.length) };

/** A study of one pair of networks and one measurement of it. */
function studyOf(measurement: Partial<BarrierMeasurement>): StudyDescription {
  return {
    title: "Pair",
    networks: {
      mlps: { for: { seed: [0, 1] }, net: "mlp:8", data: "few:train", seed: `\${seed}`, epochs: 1 },
      others: { for: { seed: [0, 1] }, net: "mlp:8", data: "few:other", seed: `\${seed}`, epochs: 1 },
    },
    measurements: { pair: { kind: "barrier", between: "mlps", data: "few:test", ...measurement } },
    tables: {},
  };
}

/** Plans one measurement; returns its tasks of a kind. */
async function tasksOf(kind: string, measurement: Partial<BarrierMeasurement>) {
  const { tasks } = await planStudy(studyOf(measurement), ports);
  return tasks.filter((task) => task.kind === kind);
}

const learned = (match?: MatchChoice) => tasksOf("learn", { align: "learned", ...(match && { match }) });

describe("planAlignment()", () => {
  it("planStudy() learns from the examples the networks were trained on, with every option in the key", async () => {
    const [task, ...others] = await learned();
    expect(others).toEqual([]);
    expect(task?.params).toEqual({
      data: { name: "few:train", digest: expect.any(String) },
      options: {
        seed: 0,
        examples: 3000,
        streamExamples: 200,
        steps: 300,
        batchSize: 64,
        learningRate: 0.006,
        heads: "invertible",
        rounds: 20,
      },
    });
    const [barrier] = await tasksOf("barrier", { align: "learned" });
    expect(barrier?.inputs["aligned"]).toEqual([{ task: task?.key, file: "aligned.safetensors" }]);
    expect(Object.keys(barrier?.inputs ?? {})).not.toContain("alignment");
    // What is there by default and what is written out are the same task.
    const written: MatchChoice = {
      data: "few:train",
      examples: 3000,
      steps: 300,
      batch: 64,
      learningRate: 0.006,
      at: "half",
      units: "fixed",
      rule: "adam",
    };
    expect((await learned(written))[0]?.key).toBe(task?.key);
  });

  it.each<[string, MatchChoice]>([
    ["examples", { examples: 100 }],
    ["steps", { steps: 0 }],
    ["batch", { batch: 2 }],
    ["rate", { learningRate: 0.01 }],
    ["place of steps", { at: "sampled" }],
    ["moved units", { units: "straight-through" }],
    ["rule", { rule: "orthogonal" }],
    ["heads", { heads: "orthogonal" }],
    ["data", { data: "few:other" }],
  ])("planStudy() changes the key of a learned alignment with its %s", async (_, match) => {
    const [usual, changed] = [await learned(), await learned(match)];
    expect(changed).toHaveLength(1);
    expect(changed[0]?.key).not.toBe(usual[0]?.key);
  });

  it("planStudy() reads examples for activations, and none for weights or networks as they are", async () => {
    const match = { examples: 100, steps: 7, data: "few:other" };
    const [task] = await tasksOf("align", { align: "activation", match });
    expect(task?.params).toEqual({
      method: "activation",
      seed: 0,
      data: { name: "few:other", digest: expect.any(String) },
      options: { examples: 100, batchSize: 100, similarity: "correlation", values: "read" },
    });
    expect(await tasksOf("align", { align: "none", match })).toEqual([]);
    const [weights] = await tasksOf("align", { align: "weight", match });
    expect(weights?.key).toBe((await tasksOf("align", { align: "weight" }))[0]?.key);
  });

  it("planStudy() asks for examples where two networks were not trained on the same", async () => {
    const between = ["mlps", "others"] as const;
    await expect(tasksOf("learn", { align: "learned", between })).rejects.toThrow(
      /must be named by "match: \{ data \}" .*: one was on few:train, the other on few:other$/,
    );
    const named = await tasksOf("learn", { align: "learned", between, match: { data: "few:train" } });
    expect(named).toHaveLength(4);
  });

  it("planStudy() gives a barrier with temperatures a key of its own", async () => {
    const key = async (measurement: Partial<BarrierMeasurement>) =>
      (await tasksOf("barrier", measurement))[0]?.key;
    expect(await key({ temperature: false })).toBe(await key({}));
    expect(await key({ temperature: true })).not.toBe(await key({}));
  });
});
