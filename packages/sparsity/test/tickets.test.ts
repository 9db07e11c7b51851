import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Checkpoint, createCheckpoint, createTensor, withTensors } from "@isthmus/core";
import {
  measureRounds,
  pruneByEvolution,
  pruneIteratively,
  pruneNetwork,
  trainAnnealed,
} from "@isthmus/sparsity";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { architecture, data, graph, network, OPTIONS } from "./small-training.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-tickets-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const floatsOf = async (weights: Checkpoint, name: string) => (await weights.read(name)).data as Float32Array;
const valuesOf = async (weights: Checkpoint) =>
  Promise.all([...graph.weights.keys()].map(async (name) => [...(await floatsOf(weights, name))]));

/** Deviations that are the same for all elements but one of `l0.weight`. */
async function deviationsOf(odd: number): Promise<Checkpoint> {
  const tensors = [...graph.weights].map(([name, { shape }]) => {
    const values = new Float32Array(shape.reduce((product, extent) => product * extent, 1)).fill(0.1);
    if (name === "l0.weight") values[7] = odd;
    return [name, createTensor("f32", shape, values)] as const;
  });
  return createCheckpoint(new Map(tensors), {}, "deviations");
}

describe("pruneNetwork() with deviations", () => {
  test("prunes what is least for its deviation: as by magnitude if all are alike", async () => {
    const plain = await pruneNetwork(architecture, network, { sparsity: 0.6 });
    const alike = await pruneNetwork(architecture, network, {
      ...{ sparsity: 0.6, deviations: await deviationsOf(0.1) },
    });
    expect(alike.masks).toEqual(plain.masks);
    expect(alike.result.criterion).toBe("signal-to-noise");
    expect(plain.result.criterion).toBeUndefined();
    const sure = await pruneNetwork(architecture, network, {
      ...{ sparsity: 0.9, by: "layer", deviations: await deviationsOf(1e-9) },
    });
    expect(sure.masks.get("l0.weight")?.[7]).toBe(1);
    const unsure = await pruneNetwork(architecture, network, {
      ...{ sparsity: 0.01, deviations: await deviationsOf(1e9) },
    });
    expect(unsure.masks.get("l0.weight")?.[7]).toBe(0);
  });

  test("says what is wrong", async () => {
    const deviations = createCheckpoint(new Map(), {}, "empty");
    await expect(pruneNetwork(architecture, network, { sparsity: 0.5, deviations })).rejects.toThrow(
      /"empty" must have a standard deviation for each of the 96 elements of "l0.weight": it has none/,
    );
    await expect(
      pruneNetwork(architecture, network, { sparsity: 0.5, by: "units", deviations }),
    ).rejects.toThrow(/by units with "deviations"/);
  });
});

describe("trainAnnealed()", () => {
  test("lets weights fade, has none of them at the end, and resumes to the same bytes", async () => {
    const { masks } = await pruneNetwork(architecture, network, { sparsity: 0.6 });
    const mask = masks.get("l0.weight") ?? new Uint8Array();
    const there: number[] = [];
    const options = { ...OPTIONS, annealing: { initial: 1, end: 0.9 } };
    const start = { weights: network, masks };
    const whole = await trainAnnealed(architecture, start, data, {
      ...options,
      onEpoch: async (_, now) => {
        const values = await floatsOf(now, "l0.weight");
        there.push(mask.filter((stays, i) => stays === 0 && values[i] !== 0).length);
      },
    });
    const pruned = mask.filter((stays) => stays === 0).length;
    expect(there[0]).toBeGreaterThan(0.4 * pruned);
    expect(there[0]).toBeLessThan(pruned);
    expect(there[1]).toBeLessThan(there[0] as number);
    expect(there[2]).toBe(0);
    const values = await floatsOf(whole.weights, "l0.weight");
    expect(mask.every((stays, i) => (stays === 1) === (values[i] !== 0))).toBe(true);
    const part = { ...options, statePath: join(folder, "annealed.safetensors"), resume: true };
    const abort = new AbortController();
    const onProgress = ({ step }: { step: number }) => {
      if (step === 10) abort.abort();
    };
    await expect(
      trainAnnealed(architecture, start, data, { ...part, signal: abort.signal, onProgress }),
    ).rejects.toThrow();
    const resumed = await trainAnnealed(architecture, start, data, part);
    expect(await valuesOf(resumed.weights)).toEqual(await valuesOf(whole.weights));
  });

  test("is masked training from the first step if nothing is there at first", async () => {
    const { masks } = await pruneNetwork(architecture, network, { sparsity: 0.6 });
    const hard = await trainAnnealed(architecture, { weights: network, masks }, data, {
      ...{ ...OPTIONS, epochs: 1, annealing: { initial: 0 } },
    });
    const soft = await trainAnnealed(architecture, { weights: network, masks }, data, {
      ...{ ...OPTIONS, epochs: 1, annealing: { initial: 1 } },
    });
    expect(await valuesOf(hard.weights)).not.toEqual(await valuesOf(soft.weights));
  });

  test.each([
    [{ initial: 1.5 }, /"initial" must be from 0 to 1: it is 1.5/],
    [{ end: 0 }, /"end" must be more than 0 and at most 1: it is 0/],
  ])("says what is wrong: %j", async (annealing, message) => {
    const { masks } = await pruneNetwork(architecture, network, { sparsity: 0.6 });
    await expect(
      trainAnnealed(architecture, { weights: network, masks }, data, { ...OPTIONS, annealing }),
    ).rejects.toThrow(message);
  });
});

describe("pruneByEvolution()", () => {
  const options = { seed: 2, generations: 6, population: 8, batch: 32, sparsity: 0.75, rounds: 2 };

  test("prunes round by round from the start, and resumes to the same bytes", async () => {
    const rounds = await pruneByEvolution(architecture, network, data, options);
    expect(rounds.map(({ pruning }) => pruning?.sparsity.toFixed(2))).toEqual([undefined, "0.50", "0.75"]);
    expect(rounds[2]?.pruning?.criterion).toBe("signal-to-noise");
    const [first, last] = [rounds[1], rounds[2]];
    const inner = last?.masks.get("l1.weight") ?? new Uint8Array();
    const outer = first?.masks.get("l1.weight") ?? new Uint8Array();
    expect(inner.every((stays, i) => stays === 0 || outer[i] === 1)).toBe(true); // what is gone stays gone
    const abort = new AbortController();
    const onProgress = ({ generation }: { generation: number }, round: number) => {
      if (round === 1 && generation === 3) abort.abort();
    };
    const part = { ...options, folder: join(folder, "evolved") };
    await expect(
      pruneByEvolution(architecture, network, data, { ...part, signal: abort.signal, onProgress }),
    ).rejects.toThrow();
    const resumed = await pruneByEvolution(architecture, network, data, part);
    expect(await valuesOf(resumed.at(-1)?.weights ?? network)).toEqual(
      await valuesOf(last?.weights ?? network),
    );
  });

  test("says what is wrong", async () => {
    const prune = (wrong: object) => pruneByEvolution(architecture, network, data, { ...options, ...wrong });
    await expect(prune({ sparsity: 1 })).rejects.toThrow(/"sparsity" must be .* below 1: it is 1/);
    await expect(prune({ rounds: 0 })).rejects.toThrow(/"rounds" must be a whole number from 1/);
  });
});

test("measureRounds() measures each round, and the barrier to the round before", async () => {
  const rounds = await pruneIteratively(architecture, network, data, {
    ...{ ...OPTIONS, sparsity: 0.75, rounds: 2 },
  });
  const measured = await measureRounds(architecture, rounds, data);
  expect(measured.map(({ sparsity }) => sparsity.toFixed(2))).toEqual(["0.00", "0.50", "0.75"]);
  expect(measured.map(({ barrier }) => typeof barrier)).toEqual(["undefined", "number", "number"]);
  const same = await withTensors(network, new Map());
  const still = [rounds[0], rounds[0]].map((round) => ({ ...round, weights: same, masks: new Map() }));
  const [, second] = await measureRounds(architecture, still as never, data, { points: 3 });
  expect(second?.barrier).toBeCloseTo(0, 6);
});
