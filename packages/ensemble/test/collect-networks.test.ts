import { join } from "node:path";
import { type Checkpoint, createCheckpoint, openCheckpoint, saveCheckpoint } from "@isthmus/core";
import {
  type CollectNetworksOptions,
  collectNetworks,
  meanOfWeights,
  type NetworkStore,
} from "@isthmus/ensemble";
import { randomWeights } from "@isthmus/graph";
import { average } from "@isthmus/interpolation";
import { recalibrateBatchNorm } from "@isthmus/statistics";
import { train } from "@isthmus/training";
import { describe, expect, it, test } from "vitest";
import { checkpointNumbers } from "../../../test/helpers/checkpoint-numbers.ts";
import { inFreshFolders } from "../../../test/helpers/fresh-folder.ts";
import { data, smallArchitecture } from "./small-task.ts";

const architecture = smallArchitecture();
const start = createCheckpoint(randomWeights(architecture.graph, 0), {}, "start");
const collect = (options: Partial<CollectNetworksOptions> = {}) =>
  collectNetworks(architecture, start, data, { seed: 3, epochs: 4, batch: 10, threads: 1, ...options });

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

/** Keeps networks as files. */
function createFolderStore(): NetworkStore & { readonly open: Checkpoint[] } {
  const opened: Checkpoint[] = [];
  const pathOf = (index: number) => join(folder, `${index}.safetensors`);
  return Object.assign(opened, {
    save: async (index: number, network: Checkpoint) => {
      await saveCheckpoint(network, pathOf(index), { overwrite: true });
    },
    open: async (index: number) => {
      const network = await openCheckpoint(pathOf(index));
      opened.push(network);
      return network;
    },
  }) as never;
}

describe("collectNetworks()", () => {
  it("collects what a training at the same rate passes through", async () => {
    const { networks, result } = await collect({ method: "lgv" });
    expect(networks.length).toBe(16);
    expect(result.collectedAt).toEqual([2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18, 20, 21, 23, 24]);
    const schedule = { kind: "constant", learningRate: 0.05 } as const;
    const optimizer = { kind: "sgd", momentum: 0.9, weightDecay: 1e-4 } as const;
    const ends: Record<string, number[]>[] = [];
    await train(architecture, start, data, {
      ...{ seed: 3, epochs: 4, batch: 10, threads: 1, schedule, optimizer },
      onEpoch: async (_, weights) => {
        ends.push(structuredClone(await checkpointNumbers(weights)));
      },
    });
    const fourth = networks.filter((_, i) => i % 4 === 3);
    expect(await Promise.all(fourth.map(checkpointNumbers))).toEqual(ends);
  });

  it("the mean of a collection is the mean of the start and the networks, or of these alone", async () => {
    const { networks, mean, result } = await collect();
    expect([networks.length, result.averaged]).toEqual([4, 5]);
    const expected = await checkpointNumbers(average([start, ...networks]));
    expect(await checkpointNumbers(mean as Checkpoint)).toEqual(expected);
    const without = await collect({ withStart: false });
    expect(await checkpointNumbers(without.mean as Checkpoint)).toEqual(
      await checkpointNumbers(average(networks)),
    );
    expect((await collect({ mean: false })).mean).toBe(undefined);
    expect((await collect({ method: "lgv", mean: true })).result.averaged).toBe(17);
  });

  it("the mean of one network is that network, and of copies too", async () => {
    for (const copies of [[start], [start, start, start]]) {
      const mean = await meanOfWeights(architecture, copies, { data });
      expect(await checkpointNumbers(mean)).toEqual(await checkpointNumbers(start));
    }
  });

  it("batch norms of a mean are measured anew", async () => {
    const normed = smallArchitecture(true);
    const first = createCheckpoint(randomWeights(normed.graph, 0));
    const second = createCheckpoint(randomWeights(normed.graph, 1));
    const mean = await meanOfWeights(normed, [first, second], { data });
    const expected = await recalibrateBatchNorm(normed, average([first, second]), data);
    expect(await checkpointNumbers(mean)).toEqual(await checkpointNumbers(expected));
  });

  it("goes on from an interruption to the same bytes", async () => {
    const options = { method: "lgv", mean: true, statePath: join(folder, "state.safetensors") } as const;
    const expected = await collect({ method: "lgv", mean: true });
    const controller = new AbortController();
    const interrupted = collect({
      ...options,
      store: createFolderStore(),
      signal: controller.signal,
      onProgress: ({ step }) => {
        if (step === 14) controller.abort();
      },
    });
    await expect(interrupted).rejects.toThrow(/abort/i);
    const store = createFolderStore();
    const resumed = await collect({ ...options, store, resume: true });
    expect(resumed.result.training.resumedAt).toBe(14);
    expect(await Promise.all(resumed.networks.map(checkpointNumbers))).toEqual(
      await Promise.all(expected.networks.map(checkpointNumbers)),
    );
    expect(await checkpointNumbers(resumed.mean as Checkpoint)).toEqual(
      await checkpointNumbers(expected.mean as Checkpoint),
    );
    for (const network of resumed.networks) await network.close();
  });

  it("does not go on with networks of other steps", async () => {
    const options = { statePath: join(folder, "state.safetensors"), store: createFolderStore() };
    const { networks } = await collect(options);
    for (const network of networks) await network.close();
    await expect(collect({ ...options, resume: true, cycle: 2 })).rejects.toThrow(/"collected" is/);
  });

  test.each<readonly [string, Partial<CollectNetworksOptions>, RegExp]>([
    [
      "a state without a store",
      { statePath: "x.safetensors" },
      /must find the networks before: give a "store"/,
    ],
    ["an unknown option", { perEpoch: 4 } as never, /no option "perEpoch"/],
    ["another method", { method: "ema" as never }, /one of swa, fge, lgv/],
    ["cycles shorter than steps", { method: "lgv", cycle: 0.1 }, /a cycle must have at least a step/],
    ["a large batch", { batch: 100 }, /a batch must be at most the data set|at least a step/],
  ])("refuses %s", async (_, options, message) => {
    await expect(collect(options)).rejects.toThrow(message);
  });
});
