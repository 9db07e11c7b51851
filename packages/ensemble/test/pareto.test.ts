import { createCheckpoint } from "@isthmus/core";
import { PAIR_TASKS, pairImages } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import {
  measureFront,
  splitHeads,
  type TrainParetoOptions,
  trainPareto,
  trainScalarised,
} from "@isthmus/ensemble";
import { randomWeights } from "@isthmus/graph";
import { average } from "@isthmus/interpolation";
import { parseNetwork } from "@isthmus/zoo";
import { describe, expect, it } from "vitest";
import { checkpointNumbers } from "../../../test/helpers/checkpoint-numbers.ts";
import { stripes } from "../../../test/helpers/stripes.ts";

const engine = createOnnxRuntimeEngine();
const data = pairImages(stripes(120), { layout: "beside" });
const test = pairImages(stripes(60, 1), { layout: "beside" });
const single = parseNetwork("mlp:8", { exampleShape: data.exampleShape, classes: 6 });
const graph = await splitHeads({ graph: single.graph, engine }, 2);
const starts = [0, 1].map((seed) => createCheckpoint(randomWeights(graph, seed), {}, `start ${seed}`));
const options: TrainParetoOptions = {
  ...{ seed: 0, epochs: 12, batch: 20, threads: 1, tasks: PAIR_TASKS },
  schedule: { kind: "cosine", learningRate: 0.1 },
};
const reference = [Math.log(3), Math.log(3)];
const measured = { tasks: PAIR_TASKS, reference, steps: 0 };

describe("trainPareto()", () => {
  it("trains networks between which every blend is good for the tasks in its shares", async () => {
    const { networks, result } = await trainPareto({ graph, engine }, starts, data, options);
    expect(result.steps).toBe(72);
    const shared = [0, 0.25, 0.5, 0.75, 1].map((share) => ({
      shares: [share, 1 - share],
      network: average(networks, [share, 1 - share]),
    }));
    const front = await measureFront({ graph, engine }, shared, test, measured);
    const [second, , both, , first] = front.points;
    // A network for one task alone is at least as good at it as the one for the other.
    expect(first?.losses[0]).toBeLessThan(second?.losses[0] ?? 0);
    expect(second?.losses[1]).toBeLessThan(first?.losses[1] ?? 0);
    for (const accuracy of both?.accuracies ?? []) expect(accuracy).toBeGreaterThan(0.8);
    expect(front.hypervolume).toBeGreaterThan(0.5 * Math.log(3) ** 2);
    expect(front.hypervolume).toBeLessThanOrEqual(Math.log(3) ** 2);
  });

  it("gives the same bytes for the same seed, and others for another", async () => {
    const short = { ...options, epochs: 1 };
    const bytes = async (seed: number) => {
      const { networks } = await trainPareto({ graph, engine }, starts, data, { ...short, seed });
      return Promise.all(networks.map(checkpointNumbers));
    };
    const usual = await bytes(0);
    expect(await bytes(0)).toEqual(usual);
    expect(await bytes(1)).not.toEqual(usual);
    expect(Object.keys(usual[0] ?? {}).sort()).toEqual([...graph.weights.keys()].sort());
  });

  it("lowers the loss of tasks in their shares, all in one network", async () => {
    const [start] = starts;
    if (start === undefined) throw new TypeError("there are two starts");
    const train = async (shares: readonly number[]) => {
      const { network } = await trainScalarised({ graph, engine }, start, data, { ...options, shares });
      return measureFront({ graph, engine }, [{ shares, network }], test, measured);
    };
    const only = await train([1, 0]);
    const both = await train([0.5, 0.5]);
    expect(only.points[0]?.accuracies[0]).toBeGreaterThan(0.9);
    expect(both.points[0]?.accuracies[1]).toBeGreaterThan(only.points[0]?.accuracies[1] ?? 1);
  });

  it("refuses two tasks with one head, tasks without labels, and starts that are missing", async () => {
    const one = { graph: single.graph, engine };
    const start = [0, 1].map((seed) => single.initialize(seed));
    await expect(trainPareto(one, start, data, options)).rejects.toThrow(
      /2 tasks need a head each: it has one output/,
    );
    await expect(
      trainPareto({ graph, engine }, starts, data, { ...options, tasks: ["task_1", "task_3"] }),
    ).rejects.toThrow(/no array "task_3", but task_1, task_2/);
    await expect(trainPareto({ graph, engine }, starts.slice(1), data, options)).rejects.toThrow(
      /there are 1/,
    );
    await expect(
      trainPareto({ graph, engine }, starts, data, { ...options, concentration: 0 }),
    ).rejects.toThrow(/"concentration" must be/);
    await expect(
      trainPareto({ graph, engine }, starts, data, { ...options, tasks: ["task_1"] }),
    ).rejects.toThrow(/at least two tasks/);
    await expect(splitHeads(one, 4)).rejects.toThrow(/must divide into 4 heads/);
  });
});
