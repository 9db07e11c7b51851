import { join } from "node:path";
import { createCheckpoint, createRandom, entry, type Tensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type DataSet, randomWeights } from "@isthmus/graph";
import { createSubspace, PROJECTION_KINDS, type SubspaceScope, trainInSubspace } from "@isthmus/subspace";
import { measureGradient, train } from "@isthmus/training";
import { describe, expect, it } from "vitest";
import { checkpointNumbers } from "../../../test/helpers/checkpoint-numbers.ts";
import { evaluateNetwork } from "../../../test/helpers/evaluate-network.ts";
import { inFreshFolders } from "../../../test/helpers/fresh-folder.ts";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { smallMlp } from "../../../test/helpers/small-networks.ts";

const graph = smallMlp();
const engine = createOnnxRuntimeEngine();
const architecture = { graph, engine };
/** Examples that belong to the largest of their first four numbers. */
function largestOfFour(size: number): DataSet {
  const { inputs } = randomExamples([6], { size }).read(0, size);
  const labels = Int32Array.from({ length: size }, (_, i) => {
    const four = [...(inputs.data as Float32Array).subarray(6 * i, 6 * i + 4)];
    return four.indexOf(Math.max(...four));
  });
  return createDataSet(inputs, labels, { name: "largest" });
}

const data = largestOfFour(120);
const tensors = randomWeights(graph, 1);
const start = createCheckpoint(tensors);
const PARAMETERS = 368;
const options = { seed: 2, epochs: 3, batch: 12, threads: 1, optimizer: { kind: "adam" } } as const;

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

const cases = PROJECTION_KINDS.flatMap((projection) =>
  (["whole", "layer"] as const).map((scope) => ({ projection, scope })),
);

describe.each(cases)("a $projection subspace, $scope", ({ projection, scope }) => {
  const subspace = (dimension: number) => createSubspace(tensors, { dimension, projection, scope }, 7);

  it("has the start at zeros, and the gradient that differences of losses have", async () => {
    const { dimension, placeInto, pullBackInto } = subspace(9);
    const placed = new Map(
      [...tensors].map(([name, tensor]) => [name, { ...tensor, data: new Float32Array(tensor.data.length) }]),
    );
    placeInto(new Float32Array(dimension), placed, 0);
    for (const [name, { data }] of tensors) expect(placed.get(name)?.data).toEqual(data);
    const gradients = await measureGradient(architecture, start, data);
    const slope = new Float32Array(dimension);
    pullBackInto(await tensorsOf(gradients), slope);
    const lossAt = async (z: Float32Array) => {
      placeInto(z, placed, 0);
      return (await evaluateNetwork({ graph, data }, placed)).loss;
    };
    const step = 2e-3;
    for (let j = 0; j < dimension; j++) {
      const z = new Float32Array(dimension);
      z[j] = step;
      const high = await lossAt(z);
      z[j] = -step;
      const difference = (high - (await lossAt(z))) / (2 * step);
      expect(slope[j]).toBeCloseTo(difference, 3);
    }
  });

  it("trains to the same bytes again, and after an interruption", async () => {
    const more = { ...options, dimension: 20, projection, scope };
    const whole = await trainInSubspace(architecture, start, data, more);
    const again = await trainInSubspace(architecture, start, data, more);
    expect(again.coordinates).toEqual(whole.coordinates);
    const statePath = join(folder, "run.state.safetensors");
    const controller = new AbortController();
    const onProgress = ({ step }: { readonly step: number }) => {
      if (step === 16) controller.abort();
    };
    const stopped = { ...more, statePath, signal: controller.signal, onProgress };
    await expect(trainInSubspace(architecture, start, data, stopped)).rejects.toThrow(/abort/i);
    const resumed = await trainInSubspace(architecture, start, data, { ...more, statePath, resume: true });
    expect(resumed.result.resumedAt).toBe(16);
    expect(resumed.coordinates).toEqual(whole.coordinates);
    expect(await checkpointNumbers(resumed.weights)).toEqual(await checkpointNumbers(whole.weights));
  });

  it("reaches what full training reaches in as many dimensions as parameters", async () => {
    const more = { ...options, epochs: 60, schedule: { kind: "cosine", learningRate: 0.03 } } as const;
    const full = await train(architecture, start, data, more);
    const inside = await trainInSubspace(architecture, start, data, {
      ...{ ...more, dimension: PARAMETERS, projection, scope },
      schedule: { kind: "cosine", learningRate: 0.1 },
    });
    expect(full.result.accuracy).toBeGreaterThan(0.95);
    expect(inside.result.accuracy).toBeGreaterThan(0.9 * (full.result.accuracy ?? 0));
    const few = await trainInSubspace(architecture, start, data, { ...more, dimension: 3, projection });
    expect(few.result.accuracy).toBeLessThan(0.8);
  });

  it("refuses no dimension, more than there are parameters, and part of one", () => {
    for (const dimension of [0, PARAMETERS + 1, 2.5, Number.NaN]) {
      expect(() => subspace(dimension)).toThrow(/to the 368 trained parameters: it is/);
    }
  });
});

async function tensorsOf(gradients: Awaited<ReturnType<typeof measureGradient>>) {
  const read = [...gradients.tensors.keys()].map(async (name) => [name, await gradients.read(name)] as const);
  return new Map<string, Tensor>(await Promise.all(read));
}

describe("createSubspace()", () => {
  it("gives every layer coordinates of its own, by size", () => {
    const { placeInto } = createSubspace(tensors, { dimension: 12, projection: "dense", scope: "layer" }, 0);
    const random = createRandom(3);
    const moved = (j: number) => {
      const z = new Float32Array(12);
      z[j] = 1 + random.uniform();
      const placed = new Map(
        [...tensors].map(([name, tensor]) => [
          name,
          { ...tensor, data: new Float32Array(tensor.data.length) },
        ]),
      );
      placeInto(z, placed, 0);
      const names = [...tensors.keys()].filter((name) =>
        entry(placed, name, "tensor").data.some((value, i) => value !== tensors.get(name)?.data[i]),
      );
      return [...new Set(names.map((name) => name.split(".")[0]))].join();
    };
    // Of 368 parameters, the layers have 112, 204 and 52.
    const layers = Array.from({ length: 12 }, (_, j) => moved(j));
    const expected = [...Array<string>(4).fill("l0"), ...Array<string>(6).fill("l1"), "l2", "l2"];
    expect(layers).toEqual(expected);
  });

  it("refuses fewer dimensions than layers, and an unknown scope", () => {
    const make = (dimension: number, scope: SubspaceScope) =>
      createSubspace(tensors, { dimension, projection: "sparse", scope }, 0);
    expect(() => make(2, "layer")).toThrow(/from 3, one for each layer, to the 368/);
    expect(() => make(2, "block" as never)).toThrow(/"scope" must be one of whole, layer: it is "block"/);
  });
});

describe("trainInSubspace()", () => {
  it("leaves frozen parameters out of the subspace", async () => {
    const more = { ...options, epochs: 1, dimension: 52, freeze: ["l0.*", "l1.*"] };
    const { weights } = await trainInSubspace(architecture, start, data, more);
    const [got, before] = [await checkpointNumbers(weights), await checkpointNumbers(start)];
    expect(got["l0.weight"]).toEqual(before["l0.weight"]);
    expect(got["l2.weight"]).not.toEqual(before["l2.weight"]);
    await expect(trainInSubspace(architecture, start, data, { ...more, dimension: 53 })).rejects.toThrow(
      /the 52 trained parameters: it is 53/,
    );
    await expect(trainInSubspace(architecture, start, data, { ...more, freeze: ["*"] })).rejects.toThrow(
      /at least one floating-point parameter that is not frozen/,
    );
  });
});
