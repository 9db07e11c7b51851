import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Checkpoint, createCheckpoint, createTensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type EvolutionOptions, trainByEvolution } from "@isthmus/training";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { randomNetwork } from "../../../test/helpers/random-network.ts";
import { smallMlp } from "../../../test/helpers/small-networks.ts";

const graph = smallMlp();
const architecture = { graph, engine: createOnnxRuntimeEngine() };
const network = randomNetwork(graph, 1);
const data = randomExamples([6], { size: 64, classes: 4 });
const OPTIONS = { seed: 3, generations: 12, population: 8, batch: 32 } as const;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-evolution-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const valuesOf = async (weights: Checkpoint): Promise<readonly (readonly number[])[]> =>
  Promise.all(
    [...graph.weights.keys()].map(async (name) => [...((await weights.read(name)).data as Float32Array)]),
  );
const evolve = (options: Partial<EvolutionOptions> = {}) =>
  trainByEvolution(architecture, network, data, { ...OPTIONS, ...options });

describe("trainByEvolution()", () => {
  test("lowers the loss, and gives the same bytes for a seed only", async () => {
    const losses: number[] = [];
    const options = { generations: 80, population: 32, batch: 64, learningRate: 0.05 };
    await evolve({ ...options, onProgress: ({ loss }) => losses.push(loss) });
    expect(losses).toHaveLength(80);
    expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) - 0.05);
    const [one, same, other] = [await evolve(), await evolve(), await evolve({ seed: 4 })];
    expect(await valuesOf(same.weights)).toEqual(await valuesOf(one.weights));
    expect(same.result).toEqual(one.result);
    expect(await valuesOf(other.weights)).not.toEqual(await valuesOf(one.weights));
  });

  test("resumes to the same bytes, and only the same evolution", async () => {
    const whole = await evolve();
    const statePath = join(folder, "state.safetensors");
    const abort = new AbortController();
    const onProgress = ({ generation }: { generation: number }) => {
      if (generation === 5) abort.abort();
    };
    await expect(evolve({ statePath, signal: abort.signal, onProgress })).rejects.toThrow(/abort/i);
    await expect(evolve({ statePath })).rejects.toThrow(/must not replace an earlier one/);
    await expect(evolve({ statePath, resume: true, deviation: 0.2 })).rejects.toThrow(/"deviation" is 0.05/);
    const made: number[] = [];
    const resumed = await evolve({
      ...{ statePath, resume: true },
      onProgress: ({ generation }) => made.push(generation),
    });
    expect(made[0]).toBe(6);
    expect(await valuesOf(resumed.weights)).toEqual(await valuesOf(whole.weights));
    expect(resumed.result).toEqual(whole.result);
  });

  test("holds what masks take out at zero, and says how much is left", async () => {
    const mask = Uint8Array.from({ length: 96 }, (_, i) => (i % 3 === 0 ? 1 : 0));
    const { weights, deviations, result } = await evolve({ masks: new Map([["l0.weight", mask]]) });
    const [{ data: values }, { data: spread }] = [
      await weights.read("l0.weight"),
      await deviations.read("l0.weight"),
    ];
    expect(mask.every((stays, i) => (stays === 1) === (values[i] !== 0))).toBe(true);
    expect(mask.every((stays, i) => (stays === 1) === Number(spread[i]) > 0)).toBe(true);
    const all = [...graph.weights.values()].reduce(
      (sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1),
      0,
    );
    expect(result.searched).toBe(all - 64);
  });

  test("leaves the network as it starts without a generation", async () => {
    const { weights, result } = await evolve({ generations: 0 });
    expect(await valuesOf(weights)).toEqual(await valuesOf(network));
    expect(result.loss).toBeNull();
    expect(result.meanLogDeviation).toBeCloseTo(Math.log(0.05), 5);
  });

  test.each([
    [{ population: 7 }, /"population" must be an even whole number from 2/],
    [{ batch: 65 }, /"batch" must be a whole number from 1 to the 64 examples: it is 65/],
    [{ deviation: 0 }, /"deviation" must be a number above 0: it is 0/],
    [{ generations: -1 }, /"generations" must be a whole number from 0/],
    [{ masks: new Map([["l9", new Uint8Array(3)]]) }, /"l9" is none/],
    [{ masks: new Map([["l0.bias", new Uint8Array(3)]]) }, /the mask of "l0.bias" .* 3 for 16/],
    [{ seed: -1 }, /seed/],
  ] as const)("says what is wrong: %j", async (options, message) => {
    await expect(evolve(options as Partial<EvolutionOptions>)).rejects.toThrow(message);
  });

  test("says that no network of a generation has a finite loss", async () => {
    const broken = new Map(
      [...graph.weights].map(([name, { shape }]) => {
        const size = shape.reduce((product, extent) => product * extent, 1);
        return [name, createTensor("f32", shape, new Float32Array(size).fill(Number.NaN))];
      }),
    );
    const start = createCheckpoint(broken, {}, "broken");
    await expect(trainByEvolution(architecture, start, data, OPTIONS)).rejects.toThrow(
      /after generation 0 .* none of 8 is/,
    );
  });
});
