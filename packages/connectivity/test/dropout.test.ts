import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { at, type Checkpoint, createCheckpoint, entry } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createEvaluator, type DataSet, type Graph } from "@isthmus/graph";
import { discoverSymmetries, permute, randomAlignment, type SymmetricArchitecture } from "@isthmus/symmetry";
import { findHiddenLayers, type HiddenLayer } from "@isthmus/symmetry/layout";
import { parseNetwork } from "@isthmus/zoo";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { randomNetwork } from "../../../test/helpers/random-network.ts";
import { residualMlp } from "../../../test/helpers/residual-mlp.ts";
import { smallCnn } from "../../../test/helpers/small-networks.ts";
import { buildDropoutPath, dropUnits, measureDropoutPath, measureDropoutStability } from "../src/index.ts";

const engine = createOnnxRuntimeEngine();

/** Two networks of random weights: what is guaranteed is so for any. */
interface Subject {
  readonly architecture: SymmetricArchitecture;
  readonly networks: readonly [Checkpoint, Checkpoint];
  readonly layers: readonly HiddenLayer[];
  readonly data: DataSet;
}

async function makeSubject(graph: Graph, shape: readonly number[]): Promise<Subject> {
  const symmetries = await discoverSymmetries({ graph, engine });
  return {
    architecture: { graph, engine, symmetries },
    networks: [randomNetwork(graph, 0), randomNetwork(graph, 1)],
    layers: findHiddenLayers(graph, symmetries).layers,
    data: randomExamples(shape, { size: 60, classes: 3 }),
  };
}

/** Two hidden layers, of which the first has a layer norm: 6 -> 8 -> 8 -> 3. */
function normedMlp(): Graph {
  const b = new GraphBuilder();
  const parts = ["gain", "shift"].map((part) => b.weight(`norm.${part}`, [8]));
  const normed = b.op("LayerNormalization", [b.linear(b.input("x", [6]), "l0", 6, 8), ...parts], {
    axis: -1,
  });
  const hidden = b.op("Relu", [b.linear(b.op("Relu", [normed]), "l1", 8, 8)]);
  return b.output(b.linear(hidden, "l2", 8, 3)).build("normed");
}

const images = randomExamples([1, 4, 4], { size: 60, classes: 3 });
const SUBJECTS: Readonly<Record<string, () => Promise<Subject>>> = {
  "an MLP": () => makeSubject(parseNetwork("mlp:12x3", images).graph, [1, 4, 4]),
  "a CNN": () => makeSubject(smallCnn(), [2, 4, 4]),
  "a residual MLP": () => makeSubject(residualMlp(8, "two layers"), [10]),
};
const NETS = Object.keys(SUBJECTS);
const subjects = new Map<string, Subject>();
beforeAll(async () => {
  for (const [name, make] of Object.entries(SUBJECTS)) subjects.set(name, await make());
});
const subjectOf = (net: string): Subject => entry(subjects, net, "subject");

async function lossesOf(
  { architecture: { graph }, data }: Subject,
  network: Checkpoint,
): Promise<readonly number[]> {
  const evaluator = await createEvaluator({ graph, engine }, data);
  try {
    return Array.from((await evaluator.evaluate(network)).losses);
  } finally {
    await evaluator.release();
  }
}

/** Half of a layer, and the factor that makes up for it. */
const half = (layer: HiddenLayer) => ({
  layer,
  stays: Uint8Array.from({ length: layer.size }, (_, unit) => unit % 2),
  factor: 2,
});

describe("dropUnits()", () => {
  it.each(NETS)("takes the units of %s out whose outputs are 0 otherwise", async (net) => {
    const subject = subjectOf(net);
    const { networks, layers } = subject;
    const [network] = networks;
    // Where ReLU follows, units whose weights and biases are all 0 have outputs of 0.
    const layer = at(layers, layers.length - 1, "layer");
    const remainder = { ...half(layer), factor: 1 };
    const written = new Map<string, Awaited<ReturnType<Checkpoint["read"]>>>();
    for (const name of network.tensors.keys()) written.set(name, structuredClone(await network.read(name)));
    for (const { tensor, view, axis, units } of layer.writes) {
      const stride = view.slice(axis + 1).reduce((product, extent) => product * extent, 1);
      const values = written.get(tensor)?.data as Float32Array;
      values.forEach((_, element) => {
        const unit = units[Math.floor(element / stride) % units.length] as number;
        if (unit >= 0 && remainder.stays[unit] === 0) values[element] = 0;
      });
    }
    const losses = await lossesOf(subject, dropUnits(network, [remainder]));
    const expected = await lossesOf(subject, createCheckpoint(written));
    for (const [index, loss] of losses.entries()) expect(loss).toBeCloseTo(at(expected, index, "loss"), 5);
  });
});

describe("measureDropoutStability()", () => {
  it("does not change when units are permuted and all of them stay", async () => {
    const { architecture, networks, data } = subjectOf("an MLP");
    const options = { shares: [1], trials: 2 };
    const { shares, loss } = await measureDropoutStability(architecture, networks[0], data, options);
    expect(at(shares, 0, "share").trials.map(({ rise }) => Math.abs(rise) < 1e-6)).toEqual([true, true]);
    const moved = permute(
      randomAlignment(architecture.symmetries.spec, 3),
      networks[0],
      architecture.symmetries.spec,
    );
    const permuted = await measureDropoutStability(architecture, moved, data, { choice: "largest" });
    const plain = await measureDropoutStability(architecture, networks[0], data, { choice: "largest" });
    expect(permuted.loss).toBeCloseTo(loss, 5);
    expect(at(permuted.shares, 0, "share").rise.max).toBeCloseTo(at(plain.shares, 0, "share").rise.max, 4);
  });

  it("finds factors that are at least as good as the inverse share, layer by layer", async () => {
    const { architecture, networks, data } = subjectOf("an MLP");
    const lossWith = async (rescale: "fit" | "inverse") => {
      const options = { rescale, trials: 1, layers: ["layers.2"] };
      const { shares, layers } = await measureDropoutStability(architecture, networks[0], data, options);
      expect(layers).toEqual([{ name: "layers.2", units: 12 }]);
      return at(at(at(shares, 0, "share").trials, 0, "trial").steps, 0, "step").loss;
    };
    expect(await lossWith("fit")).toBeLessThanOrEqual((await lossWith("inverse")) + 1e-4);
  });

  it("goes on from its journal to the same result, which must be of the same measurement", async () => {
    const folder = mkdtempSync(join(tmpdir(), "isthmus-dropout-"));
    try {
      const { architecture, networks, data } = subjectOf("an MLP");
      const journalPath = join(folder, "trials.json");
      const options = { shares: [0.5, 0.75], trials: 2 };
      const measure = (more: object) => measureDropoutStability(architecture, networks[0], data, more);
      const whole = await measure(options);
      const controller = new AbortController();
      const stopped = measure({
        ...{ ...options, journalPath, signal: controller.signal },
        onProgress: ({ completed }: { readonly completed: number }) => completed === 7 && controller.abort(),
      });
      await expect(stopped).rejects.toThrow(/abort/i);
      const seen: number[] = [];
      const onProgress = ({ completed }: { readonly completed: number }) => seen.push(completed);
      expect(await measure({ ...options, journalPath, onProgress })).toEqual(whole);
      expect(seen).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
      await expect(measure({ ...options, journalPath, rescale: "fit" })).rejects.toThrow("rescale");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("refuses shares, layers and graphs that it cannot take units out of", async () => {
    const { architecture, networks, data } = subjectOf("an MLP");
    const measure = (options: object) => measureDropoutStability(architecture, networks[0], data, options);
    await expect(measure({ shares: [0] })).rejects.toThrow(
      'as "shares[0]" must be a number above 0 and at most 1',
    );
    await expect(measure({ shares: [] })).rejects.toThrow(
      "a list of 1 or more, each a number above 0 and at most 1: it is []",
    );
    await expect(measure({ layers: ["head*"] })).rejects.toThrow(
      '"head*" matches none of layers.0, layers.1',
    );
    await expect(measure({ choice: "best" })).rejects.toThrow(
      '"choice" must be one of random, largest: it is "best"',
    );
    const { graph, initialize } = parseNetwork("mlp:1", images);
    const symmetries = await discoverSymmetries({ graph, engine });
    await expect(measureDropoutStability({ graph, engine, symmetries }, initialize(0), data)).rejects.toThrow(
      "must have hidden units that can be taken out: it has none",
    );
  });
});

describe("buildDropoutPath()", () => {
  it("has a loss of at most its bound everywhere, and computes the same where it says so", async () => {
    const { architecture, networks, data } = subjectOf("an MLP");
    for (const seed of [0, 1, 2]) {
      const { path, segments, bound, order } = await buildDropoutPath(architecture, networks, data, {
        seed,
        trials: 1,
      });
      expect(order).toBe("layers");
      for (const { from, to, isChange } of segments) {
        const [begin, middle, end] = await Promise.all(
          [from, (from + to) / 2, to].map((t) => lossesOf(subjectOf("an MLP"), path(Math.min(t, 1)))),
        );
        const means = [begin, middle, end].map((losses) => mean(losses as number[]));
        expect(Math.max(...means)).toBeLessThanOrEqual(bound + 1e-5);
        if (isChange) continue;
        begin?.forEach((loss, index) => {
          expect(middle?.[index]).toBeCloseTo(loss, 4);
          expect(end?.[index]).toBeCloseTo(loss, 4);
        });
      }
    }
  });

  it("begins and ends at the networks themselves, whatever their units are", async () => {
    const { architecture, networks, data } = subjectOf("an MLP");
    const { spec } = architecture.symmetries;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1000 }), async (seed) => {
        const moved = [networks[0], permute(randomAlignment(spec, seed), networks[1], spec)] as const;
        const { points } = await buildDropoutPath(architecture, moved, data, { seed, trials: 1 });
        for (const name of networks[0].tensors.keys()) {
          expect((await points[0].read(name)).data).toEqual((await moved[0].read(name)).data);
          expect((await points.at(-1)?.read(name))?.data).toEqual((await moved[1].read(name)).data);
        }
      }),
      { numRuns: 5 },
    );
  });

  it("takes the units of all layers out at once where they write to one stream", async () => {
    const { architecture, networks, data } = subjectOf("a residual MLP");
    const { order, segments } = await buildDropoutPath(architecture, networks, data, { trials: 1 });
    expect(order).toBe("direct");
    expect(segments.length).toBeLessThanOrEqual(7);
  });

  it("guarantees nothing where layer norm combines units, and names the layer", async () => {
    const { architecture, networks, data } = await makeSubject(normedMlp(), [6]);
    const { order, mixed, segments } = await buildDropoutPath(architecture, networks, data, { trials: 1 });
    expect({ order, mixed }).toEqual({ order: "direct", mixed: ["norm.gain"] });
    expect(segments.every(({ isChange }) => isChange)).toBe(true);
    const plain = subjectOf("an MLP");
    const apart = await buildDropoutPath(plain.architecture, plain.networks, plain.data, { trials: 1 });
    expect(apart.mixed).toEqual([]);
  });
});

describe("measureDropoutPath()", () => {
  it("measures the path beside the straight line, in the order of a chain of convolutions", async () => {
    const { architecture, networks, data } = subjectOf("a CNN");
    const result = await measureDropoutPath(architecture, networks, data, { pointsPerLine: 2 });
    expect(result).toMatchObject({ kind: "dropout-path", order: "layers", examples: 60 });
    expect(result.path.points).toHaveLength(2 * result.segments.length + 1);
    expect(result.path.loss.max).toBeLessThanOrEqual(result.bound + 1e-5);
    expect(result.line.points[0]?.loss).toBeCloseTo(result.path.points[0]?.loss ?? Number.NaN, 5);
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
  });
});

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
