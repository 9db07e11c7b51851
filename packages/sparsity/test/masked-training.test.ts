import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Checkpoint, createCheckpoint } from "@isthmus/core";
import {
  applyMasks,
  measurePruning,
  pruneIteratively,
  pruneNetwork,
  trainGradually,
  trainMasked,
} from "@isthmus/sparsity";
import { train } from "@isthmus/training";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { architecture, data, graph, network, OPTIONS } from "./small-training.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-sparsity-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function valuesOf(weights: Checkpoint): Promise<readonly (readonly number[])[]> {
  return Promise.all(
    [...graph.weights.keys()].map(async (name) => [...((await weights.read(name)).data as Float32Array)]),
  );
}

/** Aborts a training after so many of its steps. */
function stopAfter(steps: number) {
  const abort = new AbortController();
  let made = 0;
  return {
    signal: abort.signal,
    onProgress: () => {
      made += 1;
      if (made === steps) abort.abort();
    },
  };
}

describe("trainMasked()", () => {
  test.each([
    { kind: "sgd", momentum: 0.9, weightDecay: 0.1 },
    { kind: "adam" },
    { kind: "sam", base: { kind: "sgd", momentum: 0.9 } },
  ] as const)("never moves a pruned weight, and moves the others: $kind", async (optimizer) => {
    const { weights, masks } = await pruneNetwork(architecture, network, { sparsity: 0.6 });
    const states: Checkpoint[] = [];
    const tuned = await trainMasked(architecture, { weights, masks }, data, {
      ...OPTIONS,
      optimizer,
      onEpoch: async (_, now) => {
        states.push(await applyMasks(now, new Map()));
        for (const [name, mask] of masks) {
          const { data: values } = await now.read(name);
          mask.forEach((stays, i) => {
            if (stays === 0) expect(values[i]).toBe(0);
          });
        }
      },
    });
    expect(states).toHaveLength(3);
    for (const [name, mask] of masks) {
      const [before, after] = [await weights.read(name), await tuned.weights.read(name)];
      const moved = mask.filter((stays, i) => stays === 1 && before.data[i] !== after.data[i]).length;
      expect(moved).toBeGreaterThan(0);
    }
    expect(tuned.result.epochs.at(-1)?.loss).toBeLessThan(tuned.result.epochs[0]?.loss ?? 0);
  });

  test("masks of ones train as without masks", async () => {
    const { masks } = await pruneNetwork(architecture, network, { sparsity: 0 });
    const masked = await trainMasked(architecture, { weights: network, masks }, data, OPTIONS);
    expect(await valuesOf(masked.weights)).toEqual(
      await valuesOf((await train(architecture, network, data, OPTIONS)).weights),
    );
  });

  test("resumes to the same bytes, and only with the same masks", async () => {
    const { weights, masks } = await pruneNetwork(architecture, network, { sparsity: 0.6 });
    const statePath = join(folder, "masked.safetensors");
    const whole = await trainMasked(architecture, { weights, masks }, data, OPTIONS);
    const part = { ...OPTIONS, statePath, resume: true };
    const start = { weights, masks };
    await expect(trainMasked(architecture, start, data, { ...part, ...stopAfter(11) })).rejects.toThrow();
    const other = await pruneNetwork(architecture, network, { sparsity: 0.5 });
    await expect(trainMasked(architecture, { weights, masks: other.masks }, data, part)).rejects.toThrow(
      /"constraint.masks" is/,
    );
    const resumed = await trainMasked(architecture, start, data, part);
    expect(resumed.result.resumedAt).toBe(11);
    expect(await valuesOf(resumed.weights)).toEqual(await valuesOf(whole.weights));
  });
});

describe("trainGradually()", () => {
  test("reaches the sparsity, resumes to the same bytes", async () => {
    const gradual = { sparsity: 0.75, every: 3, begin: 0.1, end: 0.8 };
    const whole = await trainGradually(architecture, network, data, { ...OPTIONS, gradual });
    expect(whole.result.pruned).toBe(Math.round(0.75 * whole.result.elements));
    const part = { ...OPTIONS, gradual, statePath: join(folder, "gradual.safetensors"), resume: true };
    await expect(
      trainGradually(architecture, network, data, { ...part, ...stopAfter(10) }),
    ).rejects.toThrow();
    const resumed = await trainGradually(architecture, network, data, part);
    expect(await valuesOf(resumed.weights)).toEqual(await valuesOf(whole.weights));
    await expect(
      trainGradually(architecture, network, data, { ...OPTIONS, gradual: { sparsity: 0.5, begin: 0.8 } }),
    ).rejects.toThrow(/"end" must be more than 0.8/);
  });
});

describe("pruneIteratively()", () => {
  test("goes back to early weights with the masks of each round, resumes to the same bytes", async () => {
    const options = { ...OPTIONS, sparsity: 0.75, rounds: 2, rewindEpoch: 1 };
    const rounds = await pruneIteratively(architecture, network, data, options);
    expect(rounds.map(({ pruning }) => pruning?.sparsity.toFixed(2))).toEqual([undefined, "0.50", "0.75"]);
    expect(rounds.map(({ training }) => training.epochs.length)).toEqual([3, 2, 2]);
    let early: Checkpoint | undefined;
    await train(architecture, network, data, {
      ...OPTIONS,
      onEpoch: async (epoch, now) => {
        const copies = [...graph.weights.keys()].map(async (name) => {
          const tensor = await now.read(name);
          return [name, { ...tensor, data: tensor.data.slice() }] as const;
        });
        if (epoch === 1) early = createCheckpoint(new Map(await Promise.all(copies)), {}, "early");
      },
    });
    const [, first, last] = rounds;
    const masks = first?.masks ?? new Map();
    const again = await trainMasked(architecture, { weights: early ?? network, masks }, data, {
      ...{ ...OPTIONS, epochs: 2 },
    });
    expect(await valuesOf(again.weights)).toEqual(await valuesOf(first?.weights ?? network));
    for (const steps of [15, 30, 40]) {
      const part = { ...options, folder: join(folder, "rounds"), ...stopAfter(steps) };
      await pruneIteratively(architecture, network, data, part).catch(() => undefined);
    }
    const resumed = await pruneIteratively(architecture, network, data, {
      ...options,
      folder: join(folder, "rounds"),
    });
    expect(await valuesOf(resumed.at(-1)?.weights ?? network)).toEqual(
      await valuesOf(last?.weights ?? network),
    );
  });

  test("says what is wrong", async () => {
    const prune = (options: object) =>
      pruneIteratively(architecture, network, data, { ...OPTIONS, sparsity: 0.5, ...options });
    await expect(prune({ sparsity: 1 })).rejects.toThrow(/"sparsity" must be .* below 1: it is 1/);
    await expect(prune({ rounds: 0 })).rejects.toThrow(/"rounds" must be a whole number from 1/);
    await expect(prune({ rewindEpoch: 3 })).rejects.toThrow(/less than the 3 epochs: it is 3/);
  });
});

describe("measurePruning()", () => {
  test("measures before, after and trained on", async () => {
    const { weights, masks } = await pruneNetwork(architecture, network, { sparsity: 0.7 });
    const tuned = await trainMasked(architecture, { weights, masks }, data, OPTIONS);
    const compared = { before: network, after: weights, tuned: tuned.weights };
    const measures = await measurePruning(architecture, compared, data);
    expect(measures).toMatchObject({ examples: 64, data: "random", engine: "onnxruntime" });
    expect(measures.tuned?.loss).toBeLessThan(measures.after.loss);
    expect(measures.before.loss).not.toBe(measures.after.loss);
  });
});
