import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createCheckpoint, entry, type Tensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { randomWeights } from "@isthmus/graph";
import {
  type OptimizerSpec,
  type Reparameterize,
  type TrainReparameterizedOptions,
  train,
  trainReparameterized,
} from "@isthmus/training";
import { describe, expect, it, test } from "vitest";
import { checkpointNumbers } from "../../../test/helpers/checkpoint-numbers.ts";
import { inFreshFolders } from "../../../test/helpers/fresh-folder.ts";
import { dropoutCnn } from "../../../test/helpers/small-networks.ts";
import { stripes } from "../../../test/helpers/stripes.ts";
import { twoLayerMlp, twoLayerWeights } from "../../../test/helpers/two-layer-mlp.ts";
import { waves } from "../../../test/helpers/waves.ts";
import { abortAfter } from "./abort-after.ts";

const engine = createOnnxRuntimeEngine();
const floats = (tensors: ReadonlyMap<string, Tensor>, name: string) =>
  entry(tensors, name, "tensor").data as Float32Array;

/** The map `theta_0 + P z` for a matrix that is written out, `[parameters, dimension]`. */
function writtenOut(matrix: Float32Array, dimension: number): Reparameterize {
  return (start) => ({
    dimension,
    description: { matrix: matrix.length },
    placeInto(z, parameters) {
      let row = 0;
      for (const name of start.keys()) {
        const out = floats(parameters, name);
        floats(start, name).forEach((value, i) => {
          out[i] = value + z.reduce((sum, zj, j) => sum + (matrix[row * dimension + j] ?? 0) * zj, 0);
          row += 1;
        });
      }
    },
    pullBackInto(gradients, out) {
      out.fill(0);
      let row = 0;
      for (const name of start.keys()) {
        for (const value of floats(gradients, name)) {
          for (let j = 0; j < dimension; j++)
            out[j] = (out[j] ?? 0) + (matrix[row * dimension + j] ?? 0) * value;
          row += 1;
        }
      }
    },
  });
}

/** What PyTorch computes, in f64; see tools/golden/reparameterized.py. */
const golden: readonly {
  readonly optimizer: OptimizerSpec;
  readonly losses: readonly number[];
  readonly coordinates: readonly number[];
  readonly parameters: readonly number[];
}[] = JSON.parse(readFileSync(new URL("golden/reparameterized.json", import.meta.url), "utf8"));

describe.each(golden)("$optimizer", ({ optimizer, losses, coordinates, parameters }) => {
  test("trainReparameterized() makes PyTorch's steps in coordinates", async () => {
    const data = createDataSet(waves([6, 5], 10, 1.5), Int32Array.of(0, 1, 2, 0, 1, 2));
    const network = {
      start: createCheckpoint(twoLayerWeights(1, 0.8)),
      reparameterize: writtenOut(waves([39, 7], 50, 0.3).data as Float32Array, 7),
    };
    const trained = await trainReparameterized(
      { graph: twoLayerMlp({ batchName: "N" }), engine },
      network,
      data,
      {
        ...{ seed: 0, epochs: 5, batch: 6, threads: 1, optimizer },
        schedule: { kind: "constant", learningRate: 0.1 },
      },
    );
    const expectNear = (got: readonly number[], expected: readonly number[]) => {
      expect(got).toHaveLength(expected.length);
      for (const [i, value] of expected.entries()) expect(got[i]).toBeCloseTo(value, 5);
    };
    expectNear([...trained.coordinates], coordinates);
    expectNear(
      trained.result.epochs.map(({ loss }) => loss),
      losses,
    );
    expectNear(Object.values(await checkpointNumbers(trained.weights)).flat(), parameters);
  });
});

const graph = dropoutCnn();
const data = stripes(50);
const start = createCheckpoint(randomWeights(graph, 1));
const options: TrainReparameterizedOptions = {
  ...{ seed: 3, epochs: 3, batch: 8, threads: 1 },
  optimizer: { kind: "adam" },
  schedule: { kind: "cosine", learningRate: 0.1 },
  evaluationData: stripes(20, 1),
};

/** A map onto all parameters: a coordinate each. */
const identity: Reparameterize = (from) => {
  const sizes = [...from.values()].map(({ data: { length } }) => length);
  const dimension = sizes.reduce((sum, size) => sum + size, 0);
  const each = (visit: (name: string, begin: number, end: number) => void) => {
    let begin = 0;
    for (const [name, { data }] of from) {
      visit(name, begin, begin + data.length);
      begin += data.length;
    }
  };
  return {
    dimension,
    description: { identity: 1 },
    placeInto: (z, parameters) =>
      each((name, begin) => {
        floats(from, name).forEach((value, i) => {
          floats(parameters, name)[i] = value + (z[begin + i] ?? 0);
        });
      }),
    pullBackInto: (gradients, out) => each((name, begin) => out.set(floats(gradients, name), begin)),
  };
};

const run = (more: Partial<TrainReparameterizedOptions> = {}) =>
  trainReparameterized({ graph, engine }, { start, reparameterize: identity }, data, { ...options, ...more });

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

describe("trainReparameterized()", () => {
  it("trains what train() does if every parameter has a coordinate, norms and dropout alike", async () => {
    // Adam would make whole steps of what rounding leaves of the gradient by a bias before a norm.
    const sgd = { optimizer: { kind: "sgd", momentum: 0.9, clipNorm: 1 } } as const;
    const coordinates = await run(sgd);
    const plain = await train({ graph, engine }, start, data, { ...options, ...sgd });
    const [got, expected] = [
      await checkpointNumbers(coordinates.weights),
      await checkpointNumbers(plain.weights),
    ];
    for (const [name, numbers] of Object.entries(expected)) {
      for (const [i, value] of numbers.entries()) expect(got[name]?.[i], name).toBeCloseTo(value, 3);
    }
    expect(coordinates.result.evaluation?.loss).toBeCloseTo(plain.result.evaluation?.loss ?? Number.NaN, 3);
  });

  it("leaves the network as it starts without a step, and frozen parameters always", async () => {
    const expected = await checkpointNumbers(start);
    expect(await checkpointNumbers((await run({ epochs: 0 })).weights)).toEqual(expected);
    const frozen = await run({ epochs: 1, freeze: ["conv.*", "norm.*"] });
    expect(frozen.coordinates).toHaveLength(195);
    const got = await checkpointNumbers(frozen.weights);
    expect(got["conv.weight"]).toEqual(expected["conv.weight"]);
    expect(got["head.weight"]).not.toEqual(expected["head.weight"]);
  });

  it.each([5, 7, 13])("aborted after %i steps, goes on to the same bytes", async (steps) => {
    const whole = await run();
    const statePath = join(folder, "run.state.safetensors");
    await expect(run({ statePath, ...abortAfter(steps) })).rejects.toThrow(/abort/i);
    const resumed = await run({ statePath, resume: true });
    expect(resumed.result.resumedAt).toBe(steps);
    expect(await checkpointNumbers(resumed.weights)).toEqual(await checkpointNumbers(whole.weights));
    expect(resumed.coordinates).toEqual(whole.coordinates);
    expect(resumed.result.epochs).toEqual(whole.result.epochs);
  });

  it("refuses a state of another map", async () => {
    const statePath = join(folder, "run.state.safetensors");
    await run({ statePath, epochs: 1 });
    const other: Reparameterize = (from) => ({ ...identity(from), description: { identity: 2 } });
    await expect(
      trainReparameterized({ graph, engine }, { start, reparameterize: other }, data, {
        ...{ ...options, epochs: 1, statePath, resume: true },
      }),
    ).rejects.toThrow(/"coordinates.identity" is 1 there and 2 here/);
  });

  it("refuses optimisers of two gradients, options of clients, and a network without trained parameters", async () => {
    await expect(run({ optimizer: { kind: "sam", base: { kind: "sgd" } } })).rejects.toThrow(/one gradient/);
    await expect(run({ proximal: { mu: 1 } } as never)).rejects.toThrow(
      /train in coordinates with "proximal"/,
    );
    await expect(run({ freeze: ["*"] })).rejects.toThrow(/at least one floating-point parameter/);
  });
});
