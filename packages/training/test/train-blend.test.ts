import { join } from "node:path";
import { type Checkpoint, createCheckpoint, createRandom, createTensor, openCheckpoint } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type Graph, randomWeights } from "@isthmus/graph";
import { type Blend, type TrainedBlend, type TrainOptions, train, trainBlend } from "@isthmus/training";
import { describe, expect, it } from "vitest";
import { checkpointNumbers } from "../../../test/helpers/checkpoint-numbers.ts";
import { inFreshFolders } from "../../../test/helpers/fresh-folder.ts";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { stripes } from "../../../test/helpers/stripes.ts";
import { abortAfter } from "./abort-after.ts";

const engine = createOnnxRuntimeEngine();
const data = stripes(50);

function network(): Graph {
  const b = new GraphBuilder(17);
  const hidden = b.op("Relu", [b.linear(b.reshape(b.input("x", [1, 4, 4]), 0, 16), "l0", 16, 6)]);
  return b.output(b.linear(hidden, "l1", 6, 3)).build("small");
}

const graph = network();
const weightsOf = (seed: number): Checkpoint => createCheckpoint(randomWeights(graph, seed));
const anchors = [randomWeights(graph, 1), randomWeights(graph, 2)];

/** 50 examples in batches of 8: epochs end in the middle of batches, after steps 7, 13 and 19. */
const options: TrainOptions = {
  seed: 3,
  epochs: 3,
  batch: 8,
  threads: 1,
  optimizer: { kind: "sgd", momentum: 0.9, weightDecay: 1e-3 },
  schedule: { kind: "cosine", learningRate: 0.1 },
};

/** A trained network on segments to two given ones, one of them a step. */
function rays(more: Partial<Blend> = {}): Blend {
  return {
    points: [
      { name: "star", trained: true },
      { name: "anchor", trained: false },
    ],
    start: new Map([["star", weightsOf(0)]]),
    description: { anchors: 2 },
    at(step) {
      const random = createRandom(0, `step ${step}`);
      const t = random.uniform();
      return {
        coefficients: [1 - t, t],
        given: new Map([["anchor", anchors[random.integer(2)] ?? new Map()]]),
      };
    },
    ...more,
  };
}

const run = (blend = rays(), more: Partial<TrainOptions> = {}): Promise<TrainedBlend> =>
  trainBlend({ graph, engine }, blend, data, { ...options, ...more });

let folder: string;
let statePath: string;
inFreshFolders((path) => {
  folder = path;
  statePath = join(folder, "run.state.safetensors");
});

describe("trainBlend()", () => {
  it("trainBlend() trains what train() does where the other points count nothing", async () => {
    const weights = new Map([["anchor", anchors[0] ?? new Map()]]);
    const { points, result } = await run(rays({ at: () => ({ given: weights, coefficients: [1, 0] }) }));
    const plain = await train({ graph, engine }, weightsOf(0), data, options);
    expect(await checkpointNumbers(points.get("star")!)).toEqual(await checkpointNumbers(plain.weights));
    expect(result.epochs).toEqual(plain.result.epochs);
  });

  it("trainBlend() lowers the loss of blends, of several trained points as of one", async () => {
    const { points, result } = await run(
      rays({
        points: ["left", "right"].map((name) => ({ name, trained: true })),
        start: new Map([
          ["left", weightsOf(0)],
          ["right", weightsOf(1)],
        ]),
        at: (step) => ({ coefficients: [0.25 + (step % 3) / 4, 0.75 - (step % 3) / 4] }),
      }),
      { epochs: 15 },
    );
    expect([...points.keys()]).toEqual(["left", "right"]);
    expect(result.loss).toBeLessThan((result.epochs[0]?.loss ?? 0) / 2);
  });

  it("trainBlend() keeps what a blend does after each step, to the same bytes after an interruption", async () => {
    const finished: number[] = [];
    const blend = rays({
      description: { halved: "l1" },
      afterStep(step, trained) {
        finished.push(step.finished);
        const bias = trained.get("star")?.get("l1.bias")?.data as Float32Array;
        bias.fill(step.finished / step.steps);
      },
    });
    const whole = await run(blend);
    expect(finished).toEqual(Array.from({ length: 19 }, (_, step) => step + 1));
    const star = whole.points.get("star")!;
    expect((await star.read("l1.bias")).data).toEqual(new Float32Array(3).fill(1));
    await expect(run(blend, { statePath, ...abortAfter(9) })).rejects.toThrow(/abort/i);
    const { points } = await run(blend, { statePath, resume: true });
    expect(await checkpointNumbers(points.get("star")!)).toEqual(await checkpointNumbers(star));
  });

  it("trainBlend() decays each point by itself, or all of them by their share of the blend", async () => {
    const coefficients = [0.25, 0.5, 0.25];
    const moved = async (weightDecay: number, decay?: Blend["decay"]) => {
      const blend = rays({
        points: ["left", "middle", "right"].map((name, k) => ({ name, trained: k < 2 })),
        start: new Map(["left", "middle"].map((name, seed) => [name, weightsOf(seed + 3)])),
        at: () => ({ coefficients, given: new Map([["right", anchors[0] ?? new Map()]]) }),
        ...(decay === undefined ? {} : { decay }),
      });
      const { points } = await run(blend, {
        epochs: 1,
        batch: 50,
        optimizer: { kind: "sgd", momentum: 0, weightDecay },
        schedule: { kind: "constant", learningRate: 0.1 },
      });
      return Promise.all(["left", "middle"].map((name) => checkpointNumbers(points.get(name)!)));
    };
    const starts = await Promise.all([
      checkpointNumbers(weightsOf(3)),
      checkpointNumbers(weightsOf(4)),
      checkpointNumbers(createCheckpoint(anchors[0] ?? new Map())),
    ]);
    const [plain, points, blend] = [await moved(0), await moved(0.5), await moved(0.5, "blend")];
    for (const name of graph.weights.keys()) {
      for (const [k, network] of plain.entries()) {
        network[name]?.forEach((value, i) => {
          const start = starts[k]?.[name]?.[i] ?? 0;
          const blended = starts.reduce(
            (sum, start, j) => sum + (coefficients[j] ?? 0) * (start[name]?.[i] ?? 0),
            0,
          );
          expect(points[k]?.[name]?.[i]).toBeCloseTo(value - 0.05 * start, 6);
          expect(blend[k]?.[name]?.[i]).toBeCloseTo(value - 0.05 * (coefficients[k] ?? 0) * blended, 6);
        });
      }
    }
  });

  it.each([5, 7, 13])("trainBlend() aborted after %i steps goes on to the same bytes", async (steps) => {
    const whole = await run();
    await expect(run(rays(), { statePath, ...abortAfter(steps) })).rejects.toThrow(/abort/i);
    const resumed = await run(rays(), { statePath, resume: true });
    expect(resumed.result.resumedAt).toBe(steps);
    expect(await checkpointNumbers(resumed.points.get("star")!)).toEqual(
      await checkpointNumbers(whole.points.get("star")!),
    );
    expect(resumed.result.epochs).toEqual(whole.result.epochs);
  });

  it.each([3, 7, 10])("trainBlend() aborted after %i steps keeps what epochs began with", async (steps) => {
    const stored: number[] = [];
    const pulled = () => {
      const [begun, by] = [Int32Array.of(-1), new Float32Array(1)];
      return rays({
        kept: new Map([
          ["begun", createTensor("i32", [1], begun)],
          ["by", createTensor("f32", [1], by)],
        ]),
        beginEpoch(epoch, trained) {
          if (begun[0] === epoch) return;
          begun[0] = epoch;
          by[0] = Number(trained.get("star")?.get("l1.bias")?.data[0]);
          stored.push(by[0]);
        },
        at: () => ({
          coefficients: [0.5, 0.5 + (by[0] ?? 0)],
          given: new Map([["anchor", anchors[0] ?? new Map()]]),
        }),
      });
    };
    const whole = await run(pulled());
    const expected = stored.splice(0);
    expect(new Set(expected).size).toBe(3);
    await expect(run(pulled(), { statePath, saveEvery: 2, ...abortAfter(steps) })).rejects.toThrow(/abort/i);
    const resumed = await run(pulled(), { statePath, resume: true });
    expect(resumed.result.resumedAt).toBe(steps);
    // An epoch that was begun only, and of which no step was made, is begun again, and alike.
    expect([...new Set(stored)]).toEqual(expected);
    expect(await checkpointNumbers(resumed.points.get("star")!)).toEqual(
      await checkpointNumbers(whole.points.get("star")!),
    );
  });

  it("trainBlend() refuses a state of another blend, and leaves it", async () => {
    await run(rays(), { statePath });
    await expect(run(rays({ description: { anchors: 3 } }), { statePath, resume: true })).rejects.toThrow(
      /"blend.description.anchors" is 2 there and 3 here/,
    );
    const other = rays({ start: new Map([["star", weightsOf(5)]]) });
    await expect(run(other, { statePath, resume: true })).rejects.toThrow(/"blend.start.star" is/);
    const state = await openCheckpoint(statePath);
    expect([...state.tensors.keys()]).toContain("l0.weight@star");
    await state.close();
  });

  it("trainBlend() refuses starts that do not fit", async () => {
    await expect(run(rays({ start: new Map() }))).rejects.toThrow(/there is none for "star"/);
    await expect(run(rays({ start: new Map([["star", createCheckpoint({})]]) }))).rejects.toThrow(
      /lacks 4 of 4 weights/,
    );
  });
});
