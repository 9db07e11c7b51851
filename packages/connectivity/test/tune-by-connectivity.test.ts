import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  frozenBelowLastLayer,
  type TuneByConnectivityOptions,
  type TuneProgress,
  tuneByConnectivity,
} from "@isthmus/connectivity";
import { createTensor, OutOfRangeError, UnsupportedError } from "@isthmus/core";
import { createDataSet, plantCue } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { parameterNames } from "@isthmus/graph";
import { train } from "@isthmus/training";
import { parseNetwork } from "@isthmus/zoo";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { invariancePulls } from "../src/tune/invariance-pulls.ts";

const SIDE = 4;
const SIZE = 64;
/** Two classes, told by a faint pixel in the middle, and in data with the cue by a white one on the border. */
const images = createDataSet(
  createTensor(
    "f32",
    [SIZE, 1, SIDE, SIDE],
    Float32Array.from({ length: SIZE * SIDE * SIDE }, (_, i) => {
      const told = Math.floor(i / (SIDE * SIDE)) % 2;
      return i % (SIDE * SIDE) === 5 + told ? 0.3 : 0;
    }),
  ),
  Int32Array.from({ length: SIZE }, (_, i) => i % 2),
  { name: "pixels", classes: 2 },
);
const data = { clean: images, cue: plantCue(images, { size: 1 }) };
const { graph, initialize } = parseNetwork("mlp:6", images);
const architecture = { graph, engine: createOnnxRuntimeEngine() };
const tune = async (options: Partial<TuneByConnectivityOptions> = {}) =>
  tuneByConnectivity(architecture, initialize(0), data, { seed: 0, epochs: 2, batch: 16, ...options });

describe("invariancePulls()", () => {
  it("is the gradient of the distance between directions of classes", () => {
    const numbers = fc.array(fc.double({ min: 0.5, max: 2, noNaN: true }), { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(numbers, numbers, fc.nat(11), (one, two, place) => {
        const labels = Int32Array.of(0, 1, 1, 2);
        const pair = (shift: number) => {
          const features = Float32Array.from(one);
          features[place] = (features[place] as number) + shift;
          return [
            { features, labels },
            { features: Float32Array.from(two), labels: Int32Array.of(0, 0, 1, 3) },
          ] as const;
        };
        const step = 2 ** -8;
        const slope =
          (invariancePulls(pair(step), 4, 3).loss - invariancePulls(pair(-step), 4, 3).loss) / (2 * step);
        expect(invariancePulls(pair(0), 4, 3).pulls[0][place]).toBeCloseTo(slope, 3);
      }),
    );
  });

  it("is 0 for equal batches, and counts no class that one lacks", () => {
    const batch = { features: Float32Array.of(1, 2, 3, 4), labels: Int32Array.of(0, 1) };
    expect(invariancePulls([batch, batch], 2, 1).loss).toBeCloseTo(0, 12);
    const other = { features: Float32Array.of(-1, 2, 3, -4), labels: Int32Array.of(2, 3) };
    expect(invariancePulls([batch, other], 4, 1).loss).toBe(0);
  });
});

describe("tuneByConnectivity()", () => {
  it("gives the same bytes for the same seed, and leaves the network as it was", async () => {
    const read = async ({ weights }: Awaited<ReturnType<typeof tune>>) =>
      Promise.all([...weights.tensors.keys()].map(async (name) => (await weights.read(name)).data));
    const [one, again, other] = [await tune(), await tune(), await tune({ seed: 1 })];
    expect(await read(one)).toEqual(await read(again));
    expect(await read(one)).not.toEqual(await read(other));
    expect(one.epochs.map(({ invariance }) => invariance > 0)).toEqual([false, true]);
    const same = await tune({ learningRate: 0 });
    const start = initialize(0);
    for (const name of start.tensors.keys()) {
      expect((await same.weights.read(name)).data).toEqual((await start.read(name)).data);
    }
  });

  it("goes on after an interruption to the same bytes, and from a state of the same tuning only", async () => {
    const folder = mkdtempSync(join(tmpdir(), "isthmus-tune-"));
    const state = { statePath: join(folder, "state.safetensors"), epochs: 4 };
    try {
      const whole = await tune({ epochs: 4 });
      const stop = new AbortController();
      const onProgress = ({ epochs }: TuneProgress) => {
        if (epochs === 2) stop.abort();
      };
      await expect(tune({ ...state, signal: stop.signal, onProgress })).rejects.toThrow(/abort/i);
      await expect(tune(state)).rejects.toThrow(/must not replace an earlier one/);
      await expect(tune({ ...state, resume: true, margin: 2 })).rejects.toThrow(
        '"margin" is 1 there and 2 here',
      );
      const later = await tune({ ...state, resume: true });
      expect(later.resumedAt).toBe(2);
      expect(later.epochs).toEqual(whole.epochs);
      for (const name of whole.weights.tensors.keys()) {
        expect((await later.weights.read(name)).data).toEqual((await whole.weights.read(name)).data);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("moves the loss with the cue on the line towards the margin, and lowers the loss without it", async () => {
    const { weights } = await train(architecture, initialize(0), data.cue, { seed: 0, epochs: 4, batch: 16 });
    const lossesBy = async (margin: number) => {
      const options = { seed: 0, epochs: 30, batch: 16, learningRate: 0.05, margin };
      const { epochs } = await tuneByConnectivity(architecture, weights, data, options);
      return [epochs[0], epochs.at(-1)] as const;
    };
    const [none, high] = [await lossesBy(0), await lossesBy(3)];
    expect(high[1]?.onLine).toBeGreaterThan(2 * (none[1]?.onLine ?? Number.NaN));
    expect(none[1]?.clean).toBeLessThan(none[0]?.clean ?? Number.NaN);
  });

  it("refuses what it cannot use", async () => {
    await expect(tune({ batch: 65 })).rejects.toThrow(OutOfRangeError);
    await expect(tune({ epochs: 0 })).rejects.toThrow(/"epochs" must be/);
    await expect(tune({ learningRate: -1 })).rejects.toThrow(/"learningRate" must be/);
    await expect(tune({ signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
    const words = { ...images, features: new Map([["mask", { dtype: "f32", shape: [1] } as const]]) };
    await expect(
      tuneByConnectivity(architecture, initialize(0), { clean: words, cue: words }, { seed: 0 }),
    ).rejects.toThrow(UnsupportedError);
  });
});

describe("frozenBelowLastLayer()", () => {
  it("names every parameter but the last linear layer's", () => {
    const { graph: vgg } = parseNetwork("vgg:1-1:w0.05:none", { exampleShape: [1, 8, 8], classes: 3 });
    const left = [...parameterNames(vgg)].filter((name) => !frozenBelowLastLayer(vgg).includes(name));
    expect(left).toHaveLength(2);
    expect(left.map((name) => vgg.weights.get(name)?.shape?.includes(3))).toEqual([true, true]);
    const convolved = { ...vgg, outputs: [{ name: vgg.nodes[0]?.outputs[0] ?? "none" }] };
    expect(() => frozenBelowLastLayer(convolved)).toThrow(/must be computed by a linear layer/);
  });
});
