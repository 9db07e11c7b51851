import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  type Checkpoint,
  createCheckpoint,
  createTensor,
  DivergenceError,
  openCheckpoint,
  saveCheckpoint,
  viewBytes,
} from "@isthmus/core";
import { createDataSet, createTextDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type Graph, randomWeights } from "@isthmus/graph";
import { type Trained, type TrainOptions, train } from "@isthmus/training";
import { parseNetwork } from "@isthmus/zoo";
import { describe, expect, it } from "vitest";
import { inFreshFolders } from "../../../test/helpers/fresh-folder.ts";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { markovText } from "../../../test/helpers/markov-text.ts";
import { dropoutCnn } from "../../../test/helpers/small-networks.ts";
import { stripes } from "../../../test/helpers/stripes.ts";
import { abortAfter } from "./abort-after.ts";

const engine = createOnnxRuntimeEngine();

/** One linear layer. */
function linearNetwork(inputs = 16, classes = 3): Graph {
  const b = new GraphBuilder(17);
  const x = b.reshape(b.input("x", [1, 4, 4]), 0, inputs);
  return b.output(b.linear(x, "head", inputs, classes)).build("linear");
}

const weightsOf = (graph: Graph): Checkpoint => createCheckpoint(randomWeights(graph, 7));

const network = dropoutCnn();
const start = weightsOf(network);
const data = stripes(50);
const evaluationData = stripes(23, 1);

/** 50 examples in batches of 8: epochs end in the middle of batches, after steps 7, 13 and 19. */
const options: TrainOptions = {
  seed: 3,
  epochs: 3,
  batch: 8,
  optimizer: { kind: "adam", weightDecay: 0.01 },
  schedule: { kind: "cosine", learningRate: 0.01 },
  augment: { crop: 1, flip: true },
};
const STEPS = 19;

const trainSmall = (more: Partial<TrainOptions> = {}): Promise<Trained> =>
  train({ graph: network, engine }, start, data, { evaluationData, ...options, ...more });

/** Bytes of all tensors by name. */
async function bytesOf(checkpoint: Checkpoint): Promise<Record<string, string>> {
  const names = [...network.weights.keys()].filter((name) => checkpoint.tensors.has(name));
  const entries = names.map(async (name) => {
    const bytes = viewBytes((await checkpoint.read(name)).data);
    return [name, Buffer.from(bytes).toString("hex")] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

let folder: string;
let statePath: string;
inFreshFolders((path) => {
  folder = path;
  statePath = join(folder, "run.state.safetensors");
});

describe("train()", () => {
  it("train() learns, says how it went, and gives all weights", async () => {
    const { weights, result } = await trainSmall({ epochs: 20, augment: { flip: true } });
    expect(result.epochs).toHaveLength(20);
    expect(result).toMatchObject({ seed: 3, batch: 8, steps: 125, resumedAt: 0 });
    expect(result.epochs[0]?.loss).toBeGreaterThan(2 * result.loss);
    expect(result.epochs.at(-1)).toMatchObject({ loss: result.loss, evaluation: result.evaluation });
    expect(result.evaluation?.accuracy).toBeGreaterThan(0.9);
    expect(result.epochs.map(({ steps }) => steps).slice(0, 5)).toEqual([7, 6, 6, 6, 7]);
    expect([...weights.tensors.keys()]).toEqual([...network.weights.keys()]);
    // The statistics of the norm have been measured.
    expect((await bytesOf(weights))["norm.mean"]).not.toBe((await bytesOf(start))["norm.mean"]);
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
  });

  it("train() gives the same bytes for the same seed, and others for another", async () => {
    const [one, again, other] = [await trainSmall(), await trainSmall(), await trainSmall({ seed: 4 })];
    expect(await bytesOf(again.weights)).toEqual(await bytesOf(one.weights));
    expect(again.result.epochs).toEqual(one.result.epochs);
    expect(await bytesOf(other.weights)).not.toEqual(await bytesOf(one.weights));
  });

  it("train() gives the weights after every epoch, once they are over and before the state says so", async () => {
    const seen: [number, boolean, Record<string, string>][] = [];
    const onEpoch = async (epochs: number, weights: Checkpoint) => {
      seen.push([epochs, existsSync(statePath), await bytesOf(weights)]);
      if (epochs === 2) throw new TypeError("Cannot go on");
    };
    await expect(trainSmall({ statePath, onEpoch })).rejects.toThrow("Cannot go on");
    expect(seen.map(([epochs, hasState]) => [epochs, hasState])).toEqual([
      [1, false],
      [2, true],
    ]);
    // The second was not finished: a resumed training makes it again, to the same bytes.
    const { weights } = await trainSmall({
      statePath,
      resume: true,
      onEpoch: async (...at) => onEpoch(at[0] + 10, at[1]),
    });
    expect(seen.map(([epochs]) => epochs)).toEqual([1, 2, 12, 13]);
    expect(seen[2]?.[2]).toEqual(seen[1]?.[2]);
    expect(seen[3]?.[2]).toEqual(await bytesOf(weights));
  });

  it("train() leaves the weights it starts from as they are", async () => {
    const before = await bytesOf(start);
    await trainSmall({ epochs: 1 });
    expect(await bytesOf(start)).toEqual(before);
  });

  it("train() reports every step and every evaluation", async () => {
    const seen: string[] = [];
    await trainSmall({
      onProgress: ({ phase, step, steps, epoch, loss, secondsLeft }) => {
        expect(loss).toBeGreaterThan(0);
        expect(secondsLeft).toBeGreaterThanOrEqual(0);
        seen.push(`${phase} ${step}/${steps} ${epoch}`);
      },
    });
    expect(seen).toHaveLength(STEPS + 3);
    expect(seen.slice(5, 9)).toEqual([
      "training 6/19 0",
      "training 7/19 0",
      "evaluating 7/19 0",
      "training 8/19 1",
    ]);
  });

  it("train() drops what is left over in an epoch if asked", async () => {
    const { result } = await trainSmall({ remainder: "drop", epochs: 2 });
    expect(result.epochs.map(({ steps }) => steps)).toEqual([6, 6]);
  });

  it("train() keeps frozen parameters", async () => {
    const { weights } = await trainSmall({ freeze: ["conv.*"], epochs: 1 });
    const [before, after] = [await bytesOf(start), await bytesOf(weights)];
    expect(after["conv.weight"]).toBe(before["conv.weight"]);
    expect(after["head.weight"]).not.toBe(before["head.weight"]);
  });

  it("train() evaluates other losses on all examples, those left over by a batch too", async () => {
    const graph = linearNetwork();
    const loss = { kind: "mean-squared-error" } as const;
    const runs = [7, 23].map((batch) =>
      train({ graph, engine }, weightsOf(graph), data, {
        evaluationData,
        seed: 0,
        epochs: 1,
        batch,
        loss,
        optimizer: { kind: "sgd" },
        schedule: { kind: "constant", learningRate: 1e-30 },
      }),
    );
    const [small, whole] = await Promise.all(runs);
    expect(small?.result.evaluation?.accuracy).toBeUndefined();
    // The same sum in another order.
    expect(small?.result.evaluation?.loss).toBeCloseTo(whole?.result.evaluation?.loss ?? 0, 6);
  });
});

describe("train() without a loss", () => {
  it("train() predicts the next token of a language model", async () => {
    const text = createTextDataSet(markovText(300, 0), { context: 12 });
    const { graph, initialize } = parseNetwork("gpt:d1:w16:h2", text);
    const trainText = (more: Partial<TrainOptions>) =>
      train({ graph, engine }, initialize(0), text, {
        seed: 0,
        epochs: 1,
        batch: 4,
        optimizer: { kind: "adam" },
        ...more,
      });
    const { result } = await trainText({});
    const explicit = await trainText({
      loss: { kind: "next-token" },
      schedule: { kind: "cosine", learningRate: 0.001 },
    });
    expect(result.loss).toBe(explicit.result.loss);
    const smoothed = await trainText({ loss: { labelSmoothing: 0.1 } });
    expect(smoothed.result.loss).not.toBe(result.loss);
  });

  it("train() takes batches of the size that the graph was exported for", async () => {
    const fixed = {
      ...network,
      inputs: network.inputs.map((input) => ({ ...input, shape: input.shape!.with(0, 8) })),
    };
    const { batch: _, ...rest } = options;
    const architecture = { graph: fixed, engine };
    expect((await train(architecture, start, data, rest)).result.batch).toBe(8);
    await expect(train(architecture, start, data, { ...rest, batch: 5 })).rejects.toThrow(
      /by batches of 5 as graph "small" was exported for batches of 8/,
    );
  });
});

describe("train() with a state", () => {
  it.each([0, 1, 5, 7, 10, 13, 18, STEPS])(
    "train() aborted after %i steps goes on to the same bytes",
    async (steps) => {
      const whole = await trainSmall();
      await expect(trainSmall({ statePath, ...abortAfter(steps) })).rejects.toThrow(/abort/i);
      expect(existsSync(statePath)).toBe(steps > 0);
      const resumed = await trainSmall({ statePath, resume: true });
      expect(resumed.result.resumedAt).toBe(steps);
      expect(await bytesOf(resumed.weights)).toEqual(await bytesOf(whole.weights));
      expect(resumed.result.epochs).toEqual(whole.result.epochs);
      expect(readdirSync(folder)).toEqual(["run.state.safetensors"]);
    },
  );

  it("train() stopped while weights are taken takes them when it goes on", async () => {
    const steps = [5, 7, 12];
    const controller = new AbortController();
    const { signal } = controller;
    const collectingUntil = (last: number) => {
      const taken: number[] = [];
      const take = async (step: number) => {
        if (step === last) controller.abort();
        signal.throwIfAborted();
        taken.push(step);
      };
      return { taken, collect: { steps, take } };
    };
    const stopped = collectingUntil(7);
    await expect(trainSmall({ statePath, signal, collect: stopped.collect })).rejects.toThrow(/abort/i);
    expect(stopped.taken).toEqual([5]);
    const taken: number[] = [];
    const collect = { steps, take: async (step: number) => void taken.push(step) };
    const { result } = await trainSmall({ statePath, resume: true, collect });
    expect(result.resumedAt).toBe(7);
    expect(taken).toEqual([7, 12]);
  });

  it("train() killed at any step goes on from the last state to the same bytes", async () => {
    const whole = await trainSmall();
    const copies: [number, string][] = [];
    await trainSmall({
      statePath,
      saveEvery: 4,
      onProgress: ({ step }) => {
        const copy = join(folder, `after-${step}.safetensors`);
        if (existsSync(statePath)) copyFileSync(statePath, copy);
        copies.push([step, copy]);
      },
    });
    for (const [step, copy] of copies.filter(([step]) => step % 3 === 0)) {
      if (existsSync(copy)) copyFileSync(copy, statePath);
      else rmSync(statePath);
      const resumed = await trainSmall({ statePath, saveEvery: 4, resume: true });
      expect(resumed.result.resumedAt).toBeLessThanOrEqual(step);
      expect(resumed.result.resumedAt).toBeGreaterThanOrEqual(step - 4);
      expect(await bytesOf(resumed.weights)).toEqual(await bytesOf(whole.weights));
      expect(resumed.result.epochs).toEqual(whole.result.epochs);
    }
  });

  it("train() writes a state that is a checkpoint of the network", async () => {
    const { weights } = await trainSmall({ statePath });
    const state = await openCheckpoint(statePath);
    expect(await bytesOf(state)).toEqual(await bytesOf(weights));
    await state.close();
    const again = await trainSmall({ statePath, resume: true });
    expect(again.result).toMatchObject({ resumedAt: STEPS, examplesPerSecond: 0 });
    expect(await bytesOf(again.weights)).toEqual(await bytesOf(weights));
  });

  it("train() refuses a state of another training, names what differs, and leaves it", async () => {
    await trainSmall({ statePath, epochs: 1 });
    const bytes = readFileSync(statePath);
    const linear = linearNetwork();
    const cases: [() => Promise<unknown>, RegExp][] = [
      [() => trainSmall({ statePath, resume: true }), /of the same training: "epochs" is 1 there and 3 here/],
      [
        () =>
          trainSmall({
            statePath,
            epochs: 1,
            resume: true,
            seed: 5,
            schedule: { kind: "cosine", learningRate: 0.02 },
          }),
        /"seed" is 3 there and 5 here, "schedule\.learningRate" is 0\.01 there and 0\.02 here/,
      ],
      [
        () => trainSmall({ statePath, epochs: 1, resume: true, optimizer: { kind: "sgd", momentum: 0.9 } }),
        /of the same training: "optimizer\.kind" is "adam" there|".+" is missing there/,
      ],
      [
        () =>
          train({ graph: linear, engine }, weightsOf(linear), data, {
            ...options,
            statePath,
            resume: true,
            augment: {},
          }),
        /same network and optimiser: "head\.weight" is f32 \[64, 3\] there and f32 \[16, 3\] here/,
      ],
      [
        () =>
          train({ graph: network, engine }, start, stripes(50, 9), {
            ...options,
            statePath,
            epochs: 1,
            resume: true,
          }),
        /"data\.digest" is /,
      ],
      [() => trainSmall({ statePath }), /must not replace an earlier one: the file exists; resume from it/],
    ];
    for (const [training, message] of cases) await expect(training()).rejects.toThrow(message);
    expect(readFileSync(statePath).equals(bytes)).toBe(true);
  });

  it("train() refuses a file that is no state", async () => {
    const { weights } = await trainSmall({ epochs: 1 });
    await saveCheckpoint(weights, statePath);
    await expect(trainSmall({ statePath, resume: true })).rejects.toThrow(/must be a state of training/);
  });
});

describe("train() that fails", () => {
  it("train() does not blame the rate for what the network brought along", async () => {
    const graph = linearNetwork();
    const broken = createCheckpoint(
      new Map(
        [...randomWeights(graph, 7)].map(
          ([name, { shape, data: numbers }]) =>
            [name, createTensor("f32", shape, new Float32Array(numbers.length).fill(Number.NaN))] as const,
        ),
      ),
    );
    const training = train({ graph, engine }, broken, data, { seed: 0, epochs: 1, batch: 10 });
    await expect(training).rejects.toThrow(
      /at step 0 .* look for values in the network or the data that are/,
    );
  });

  it("train() stops at a loss that is not finite, says where, and keeps the last good state", async () => {
    const graph = linearNetwork();
    const training = { graph, engine, weights: weightsOf(graph), data };
    const wild: TrainOptions = {
      seed: 0,
      epochs: 2,
      batch: 10,
      statePath,
      saveEvery: 1,
      optimizer: { kind: "sgd" },
      schedule: { kind: "step", learningRate: 1e-3, every: 3, factor: 1e30 },
    };
    const error = await train(training, training.weights, training.data, wild).catch(
      (cause: unknown) => cause,
    );
    expect(error).toBeInstanceOf(DivergenceError);
    expect((error as DivergenceError).step).toBeGreaterThan(3);
    expect((error as Error).message).toMatch(
      /^Cannot go on training at step \d+ of 10, in epoch \d, as .* must stay finite: .*; lower the learning rate or clip gradients; ".*" holds the last good weights, after step \d: remove it to start anew$/,
    );
    const state = await openCheckpoint(statePath);
    for (const name of state.tensors.keys()) {
      expect([...(await state.read(name)).data].every((x) => Number.isFinite(Number(x)))).toBe(true);
    }
    await state.close();
  });

  it("train() refuses data that do not fit, before the first step", async () => {
    const graph = linearNetwork(16, 2);
    const two = { graph, engine, weights: weightsOf(graph) };
    const wide = createDataSet(createTensor("u8", [9, 5, 5], new Uint8Array(225)), new Int32Array(9));
    const onProgress = () => expect.unreachable("a step was made");
    const cases: [() => Promise<unknown>, RegExp][] = [
      [
        () => train(two, two.weights, data, { ...options, onProgress }),
        /labels must be below the 2 classes of the graph: the largest is 2/,
      ],
      [
        () => train(two, two.weights, wide, { ...options, onProgress }),
        /examples must fit the graph's input "x", f32 \[1, 4, 4\]: they are f32 \[1, 5, 5\]/,
      ],
      [
        () => train(two, two.weights, stripes(5), { ...options, onProgress }),
        /a batch must be at most the data set: it is 8 of 5/,
      ],
      [
        () => train(two, two.weights, { ...data, classes: 2 }, { ...options, onProgress }),
        /labels must be classes from 0 to 1: one is 2/,
      ],
      [() => train(two, createCheckpoint({}), data, { ...options, onProgress }), /lacks 2 of 2 weights/],
    ];
    for (const [training, message] of cases) await expect(training()).rejects.toThrow(message);
  });

  it("train() for no epoch gives the weights it was given", async () => {
    const { weights, result } = await trainSmall({ epochs: 0 });
    expect(await bytesOf(weights)).toEqual(await bytesOf(start));
    expect(result).toMatchObject({ epochs: [], steps: 0 });
  });

  it("train() refuses options that are unknown or out of range", async () => {
    const cases: [Partial<TrainOptions>, RegExp][] = [
      [{ seed: -1 }, /"seed" must be a whole number of at least 0: it is -1/],
      [{ epochs: -1 }, /"epochs" must be/],
      [{ batch: 1.5 }, /"batch" must be/],
      [{ remainder: "keep" as never }, /"remainder" must be "carry" or "drop": it is "keep"/],
      [{ resume: true }, /"statePath" must name a file ending in \.safetensors/],
      [{ statePath: "x.bin" }, /it is "x\.bin"/],
      [{ lr: 1 } as never, /there is no option "lr"/],
      [{ augment: { crop: -1 } }, /"crop" must be/],
    ];
    for (const [more, message] of cases) await expect(trainSmall(more)).rejects.toThrow(message);
  });
});
