import { join } from "node:path";
import { type Checkpoint, createCheckpoint, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { randomWeights } from "@isthmus/graph";
import { type OptimizerSpec, type TrainOptions, train } from "@isthmus/training";
import { describe, expect, it } from "vitest";
import { checkpointNumbers } from "../../../test/helpers/checkpoint-numbers.ts";
import { evaluateNetwork } from "../../../test/helpers/evaluate-network.ts";
import { inFreshFolders } from "../../../test/helpers/fresh-folder.ts";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { smallMlp } from "../../../test/helpers/small-networks.ts";
import { openTrainingTeleports } from "../src/teleport-training.ts";

const graph = smallMlp();
const engine = createOnnxRuntimeEngine();
const data = randomExamples([6], { size: 48, classes: 4 });
const start = createCheckpoint(randomWeights(graph, 3));
const rules = { seed: 1, epochs: 2, batch: 8, threads: 1 } as const;

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

async function teleported(optimizer: OptimizerSpec, options: Partial<TrainOptions> = {}) {
  const choice = { every: 3, steps: 3, learningRate: 0.1, seed: 1, batch: 8 };
  const { move, release } = await openTrainingTeleports({ graph, engine }, start, data, choice);
  try {
    return await train({ graph, engine }, start, data, { ...rules, optimizer, move, ...options });
  } finally {
    await release();
  }
}

const tensorsOf = async (network: Checkpoint): Promise<Map<string, Tensor>> =>
  new Map(
    await Promise.all(
      [...network.tensors.keys()].map(async (name) => [name, await network.read(name)] as const),
    ),
  );

describe("teleports of a training", () => {
  it.each<OptimizerSpec>([{ kind: "sgd" }, { kind: "sgd", momentum: 0.9 }, { kind: "adam" }])(
    "resume to the same bytes: %j",
    async (optimizer) => {
      const whole = await teleported(optimizer);
      const statePath = join(folder, "state.safetensors");
      const stop = new AbortController();
      const onProgress = ({ step }: { step: number }) => step === 7 && stop.abort();
      await expect(teleported(optimizer, { statePath, signal: stop.signal, onProgress })).rejects.toThrow(
        /abort/i,
      );
      const resumed = await teleported(optimizer, { statePath, resume: true });
      expect(resumed.result.resumedAt).toBe(7);
      expect(await checkpointNumbers(resumed.weights)).toEqual(await checkpointNumbers(whole.weights));
      const plain = await train({ graph, engine }, start, data, { ...rules, optimizer });
      expect(await checkpointNumbers(plain.weights)).not.toEqual(await checkpointNumbers(whole.weights));
      await expect(
        train({ graph, engine }, start, data, { ...rules, optimizer, statePath, resume: true }),
      ).rejects.toThrow(/move/);
    },
  );

  it("are refused if none would come before the last step", async () => {
    const moved = (every: number) => {
      const move = { description: {}, every, moveInPlace: async () => {} };
      return train({ graph, engine }, start, data, { ...rules, move });
    };
    await expect(moved(12)).rejects.toThrow(/after every 12 steps .*: there are 12 steps in all/);
    expect((await moved(11)).result.steps).toBe(12);
  });

  it("move weights and momentum so that the loss stays", async () => {
    const { move, release } = await openTrainingTeleports({ graph, engine }, start, data, {
      every: 1,
      steps: 4,
      learningRate: 0.1,
      seed: 1,
      batch: 8,
    });
    const tensors = await tensorsOf(start);
    for (const [name, tensor] of [...tensors])
      tensors.set(`momentum(${name})`, { ...tensor, data: tensor.data.slice() });
    const before = new Map(
      [...tensors].map(([name, tensor]) => [name, { ...tensor, data: tensor.data.slice() }]),
    );
    await move.moveInPlace({ finished: 1, steps: 9 }, tensors);
    await release();
    const lossOf = async (weights: ReadonlyMap<string, Tensor>) =>
      (await evaluateNetwork({ graph, data }, weights)).loss;
    expect(await lossOf(tensors)).toBeCloseTo(await lossOf(before), 5);
    const [old, now] = [before, tensors].map((all) => all.get("l1.weight")?.data as Float32Array);
    expect(
      Math.max(...(now ?? []).map((value, i) => Math.abs(value - (old?.[i] as number)))),
    ).toBeGreaterThan(0.01);
    // Scales multiply weights and divide gradients, so that their product stays.
    const momentum = tensors.get("momentum(l1.weight)")?.data as Float32Array;
    momentum.forEach((value, i) => {
      expect(value * (now?.[i] as number)).toBeCloseTo((old?.[i] as number) ** 2, 5);
    });
  });
});
