import {
  type Checkpoint,
  createCheckpoint,
  createRandom,
  createTensor,
  entry,
  type Tensor,
  toFloat64,
  withTensors,
} from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type Graph, randomWeights } from "@isthmus/graph";
import { discoverSymmetries, permute, randomAlignment, type Symmetries } from "@isthmus/symmetry";
import { measureGradient } from "@isthmus/training";
import { parseNetwork } from "@isthmus/zoo";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stripes } from "../../../test/helpers/stripes.ts";
import { transferTask } from "../src/index.ts";

const engine = createOnnxRuntimeEngine();
const form = { exampleShape: [1, 16, 16], classes: 5 };
const random = (graph: Graph, seed: number) => createCheckpoint(randomWeights(graph, seed));

/** A network that differs from another by small steps in all weights, as a fine-tune does. */
async function tuned(base: Checkpoint, graph: Graph, seed: number, size = 0.1): Promise<Checkpoint> {
  const tensors = new Map<string, Tensor>();
  for (const [name, { role }] of graph.weights) {
    const noise = createRandom(seed, name);
    const { dtype, shape, data } = await base.read(name);
    // Variances stay positive.
    const step = (value: number) => (role === "statistic" ? value * noise.uniform() : size * noise.normal());
    tensors.set(
      name,
      createTensor(
        dtype,
        shape,
        Float32Array.from(data as Float32Array, (x) => x + step(x)),
      ),
    );
  }
  return withTensors(base, tensors);
}

async function expectEqual(actual: Checkpoint, expected: Checkpoint): Promise<void> {
  expect([...actual.tensors.keys()]).toEqual([...expected.tensors.keys()]);
  for (const name of expected.tensors.keys()) {
    expect([name, await actual.read(name)]).toEqual([name, await expected.read(name)]);
  }
}

interface Case {
  readonly graph: Graph;
  readonly symmetries: Symmetries;
}

async function caseOf(spec: string): Promise<Case> {
  const { graph } = parseNetwork(spec, spec.startsWith("gpt") ? { exampleShape: [8], classes: 11 } : form);
  return { graph, symmetries: await discoverSymmetries({ graph, engine }) };
}

const NETWORKS = ["mlp:12x2", "resnet8:w1", "vit:p8:d1:w12:h3", "gpt:d1:w8:h2"] as const;

describe("transferTask", () => {
  it.each(NETWORKS)("gives the permuted fine-tune where base B is a permuted base A: %s", async (spec) => {
    const { graph, symmetries } = await caseOf(spec);
    const align = { seed: 0, restarts: 2, symmetries };
    await fc.assert(
      fc.asyncProperty(fc.nat(1000), async (seed) => {
        const baseA = random(graph, seed);
        const tunedA = await tuned(baseA, graph, seed);
        const shuffle = randomAlignment(symmetries.spec, seed);
        const baseB = permute(shuffle, baseA, symmetries.spec);
        const networks = { baseA, tunedA, baseB };
        const { network, summary } = await transferTask({ graph, engine }, networks, { align });
        await expectEqual(network, permute(shuffle, tunedA, symmetries.spec));
        expect(summary.alignment?.verified.passed).toBe(true);
        expect(summary.tunedError).toBeLessThan(1e-4);
        expect(summary.task.moved).toBeGreaterThan(0);
        expect(summary.task.kept).toBeCloseTo(1);
      }),
      { numRuns: 3 },
    );
  });

  it.each(NETWORKS)("gives the fine-tune for equal bases, and base B at scale 0: %s", async (spec) => {
    const { graph, symmetries } = await caseOf(spec);
    await fc.assert(
      fc.asyncProperty(fc.nat(1000), async (seed) => {
        const [baseA, baseB] = [random(graph, seed), random(graph, seed + 1)];
        const tunedA = await tuned(baseA, graph, seed);
        const architecture = { graph, engine };
        const align = { seed: 0, restarts: 1, symmetries };
        const same = await transferTask(architecture, { baseA, tunedA, baseB: baseA }, { align });
        await expectEqual(same.network, tunedA);
        expect(same.summary.task.moved).toBeCloseTo(0);
        const none = await transferTask(architecture, { baseA, tunedA, baseB }, { align, scale: 0 });
        await expectEqual(none.network, baseB);
      }),
      { numRuns: 2 },
    );
  });

  it("gives the fine-tune the scales of base B, to rounding", async () => {
    const { graph, symmetries } = await caseOf("mlp:12x2");
    const baseA = random(graph, 5);
    const tunedA = await tuned(baseA, graph, 6);
    // Relu passes scales: units doubled in front are halved behind.
    const double = async (network: Checkpoint) => {
      const factors = { "layers.0.weight": 2, "layers.0.bias": 2, "layers.1.weight": 0.5 };
      const tensors = new Map<string, Tensor>();
      for (const [name, factor] of Object.entries(factors)) {
        const { shape, data } = await network.read(name);
        tensors.set(
          name,
          createTensor(
            "f32",
            shape,
            Float32Array.from(data as Float32Array, (x) => factor * x),
          ),
        );
      }
      return permute(randomAlignment(symmetries.spec, 3), withTensors(network, tensors), symmetries.spec);
    };
    const { network, summary } = await transferTask(
      { graph, engine },
      { baseA, tunedA, baseB: await double(baseA) },
      { align: { seed: 0, symmetries, normalize: ["scale", "sign"] } },
    );
    const expected = await double(tunedA);
    for (const name of graph.weights.keys()) {
      const [one, two] = [await network.read(name), await expected.read(name)];
      for (const [i, value] of (two.data as Float32Array).entries()) {
        expect(Number(one.data[i])).toBeCloseTo(value, 4);
      }
    }
    expect(summary.alignment?.normalized?.scales).toBeGreaterThan(0);
  });

  it("adds the scaled task vector, and leaves variances positive", async () => {
    const { graph } = await caseOf("resnet8:w1");
    const [baseA, other] = [random(graph, 1), random(graph, 2)];
    const tunedA = await tuned(baseA, graph, 3);
    const [variance = ""] = [...graph.weights.keys()].filter((name) => name.endsWith("running_var"));
    const shape = entry(graph.weights, variance, "variance").shape;
    const filled = (value: number) => createTensor("f32", shape, new Float32Array(shape[0] ?? 0).fill(value));
    const networks = {
      baseA: withTensors(baseA, new Map([[variance, filled(3)]])),
      tunedA: withTensors(tunedA, new Map([[variance, filled(1)]])),
      baseB: withTensors(other, new Map([[variance, filled(0.5)]])),
    };
    const { network } = await transferTask({ graph, engine }, networks, { align: false, scale: 0.5 });
    expect((await network.read(variance)).data).toEqual(filled(0.5).data);
    const name = [...graph.weights.keys()].find((weight) => weight.endsWith("weight")) ?? "";
    const read = async (of: Checkpoint) => toFloat64((await of.read(name)).data, "f32");
    const [a, t, b] = [await read(networks.baseA), await read(networks.tunedA), await read(networks.baseB)];
    const expected = Float32Array.from(b, (x, i) => x + 0.5 * ((t[i] ?? 0) - (a[i] ?? 0)));
    expect((await network.read(name)).data).toEqual(expected);
  });

  it("keeps only what goes down the gradient of base B, and says how much that is", async () => {
    const data = stripes(8);
    const { graph } = parseNetwork("mlp:6", data);
    const [baseA, baseB] = [random(graph, 1), random(graph, 2)];
    const tunedA = await tuned(baseA, graph, 3);
    const { network, summary } = await transferTask(
      { graph, engine },
      { baseA, tunedA, baseB },
      { align: false, maskBySign: data },
    );
    const gradient = await measureGradient({ graph, engine }, baseB, data);
    let [kept, all] = [0, 0];
    for (const name of graph.weights.keys()) {
      const [g, a, t, b, out] = await Promise.all(
        [gradient, baseA, tunedA, baseB, network].map(
          async (of) => (await of.read(name)).data as Float32Array,
        ),
      );
      out?.forEach((value, i) => {
        const step = Number(t?.[i]) - Number(a?.[i]);
        const isKept = Number(g?.[i]) * step < 0;
        all += step ** 2;
        if (isKept) kept += step ** 2;
        else expect(value).toBe(b?.[i]);
        if (isKept && Math.abs(step) > 1e-3) expect(value).not.toBe(b?.[i]);
      });
    }
    expect(summary.task.kept).toBeCloseTo(kept / all, 6);
    expect(kept / all).toBeGreaterThan(0.2);
    expect(kept / all).toBeLessThan(0.8);
  });

  it("takes the scale of least loss among those asked for, and warns where none helps", async () => {
    const data = stripes(30);
    const { graph } = parseNetwork("mlp:6", data);
    const [baseA, baseB] = [random(graph, 1), random(graph, 2)];
    const tunedA = await tuned(baseA, graph, 3, 2);
    const options = { align: { seed: 0 }, data, scale: [0.5, 1, 4] };
    const { summary } = await transferTask({ graph, engine }, { baseA, tunedA, baseB }, options);
    expect(summary.tried.map(({ scale }) => scale)).toEqual([0, 0.5, 1, 4]);
    const [alone, ...tried] = summary.tried;
    const best = tried.reduce((x, y) => (y.loss < x.loss ? y : x));
    expect(summary.scale).toBe(best.scale);
    const warnings = summary.warnings.join("\n");
    expect(/no scale lowers the loss/.test(warnings)).toBe(!(best.loss < (alone?.loss ?? 0)));
    expect(warnings).toMatch(/does not look like a fine-tune of .* times as long as the weights/);
    const equal = await transferTask({ graph, engine }, { baseA, tunedA: baseA, baseB });
    expect(equal.summary.warnings.join()).toMatch(/there is no fine-tune to transfer/);
    expect(equal.summary.task).toMatchObject({ norm: 0, relative: 0, moved: null, kept: null });
  });

  it("refuses what it cannot transfer, and says why", async () => {
    const { graph, symmetries } = await caseOf("mlp:12x2");
    const other = await caseOf("mlp:8x2");
    const [baseA, baseB] = [random(graph, 1), random(graph, 2)];
    const tunedA = await tuned(baseA, graph, 3);
    const networks = { baseA, tunedA, baseB };
    const architecture = { graph, engine };
    const align = { seed: 0, symmetries };
    const bias = await tunedA.read("layers.1.bias");
    const nan = createTensor("f32", bias.shape, new Float32Array(12).fill(Number.NaN));
    const broken = withTensors(tunedA, new Map([["layers.1.bias", nan]]));
    await expect(transferTask(architecture, { ...networks, tunedA: broken }, { align })).rejects.toThrow(
      /Cannot transfer a task of .* in "layers\.1\.bias" 12 of 12 are NaN/,
    );
    const narrow = { ...networks, tunedA: random(other.graph, 1) };
    await expect(transferTask(architecture, narrow, { align })).rejects.toThrow(/"layers\.0\.weight"/);
    await expect(transferTask(architecture, networks, { scale: [1, 2] })).rejects.toThrow(
      /at 2 scales as examples must tell which is best/,
    );
    await expect(transferTask(architecture, networks, { scale: [] })).rejects.toThrow(/empty list/);
    await expect(transferTask(architecture, networks, { scale: Number.NaN })).rejects.toThrow(
      /finite number/,
    );
  });
});
