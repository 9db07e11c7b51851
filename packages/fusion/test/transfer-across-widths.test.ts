import {
  at,
  type Checkpoint,
  createCheckpoint,
  createRandom,
  createTensor,
  entry,
  type Tensor,
} from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import {
  bindWeights,
  compareOutputs,
  type DataSet,
  type Graph,
  randomInputs,
  randomWeights,
} from "@isthmus/graph";
import { createMatrix, multiply } from "@isthmus/linear-algebra";
import { parseNetwork } from "@isthmus/zoo";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fuseByMaps, transferAcrossWidths } from "../src/index.ts";
import { nearestSemiOrthogonal } from "../src/widths/semi-orthogonal.ts";

const engine = createOnnxRuntimeEngine();
const isText = (spec: string) => /^(gpt|llama)/.test(spec);
const graphOf = (spec: string, classes = 5): Graph =>
  parseNetwork(spec, isText(spec) ? { exampleShape: [8], classes } : { exampleShape: [1, 16, 16], classes })
    .graph;
const random = (graph: Graph, seed: number) => createCheckpoint(randomWeights(graph, seed));

/** Random examples without meaning; labels are not read. */
function examplesFor(spec: string, count = 48): DataSet {
  const draw = createRandom(0, "examples");
  const inputs = isText(spec)
    ? createTensor(
        "i64",
        [count, 8],
        BigInt64Array.from({ length: count * 8 }, () => BigInt(Math.floor(draw.uniform() * 5))),
      )
    : createTensor(
        "f32",
        [count, 1, 16, 16],
        Float32Array.from({ length: count * 256 }, () => draw.normal()),
      );
  return createDataSet(inputs, new Int32Array(count), { name: "noise", classes: 5 });
}

/** A network that differs from another by small steps in all weights, as a fine-tune does. */
async function tuned(base: Checkpoint, graph: Graph): Promise<Checkpoint> {
  const tensors = new Map<string, Tensor>();
  for (const [name, { role }] of graph.weights) {
    const noise = createRandom(1, name);
    const { dtype, shape, data } = await base.read(name);
    const step = role === "statistic" ? () => 0 : () => 0.05 * noise.normal();
    tensors.set(
      name,
      createTensor(
        dtype,
        shape,
        Float32Array.from(data as Float32Array, (x) => x + step()),
      ),
    );
  }
  return createCheckpoint(tensors);
}

/** Largest relative difference of the outputs of two networks on the same random inputs. */
async function difference(
  [graph, network]: readonly [Graph, Checkpoint],
  [other, changed]: readonly [Graph, Checkpoint],
): Promise<number> {
  const inputs = randomInputs(graph, 4, 0);
  const run = async (of: Graph, weights: Checkpoint) => {
    const session = await engine.load(of);
    try {
      return await session.run(new Map([...inputs, ...(await bindWeights(of, weights))]));
    } finally {
      await session.release();
    }
  };
  return compareOutputs(graph, await run(graph, network), await run(other, changed)).relative;
}

describe("nearestSemiOrthogonal", () => {
  it("gives orthonormal rows or columns, and keeps vectors of ones if it must", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 9 }),
        fc.integer({ min: 2, max: 9 }),
        fc.nat(99),
        (rows, columns, seed) => {
          const draw = createRandom(seed, "gram");
          const gram = createMatrix(
            rows,
            columns,
            Float64Array.from({ length: rows * columns }, () => draw.normal()),
          );
          for (const keepsOnes of [false, true]) {
            const { map } = nearestSemiOrthogonal(gram, keepsOnes);
            const [size, options] =
              rows <= columns ? [rows, { transposeRight: true }] : [columns, { transposeLeft: true }];
            const products = multiply(map, map, options).data;
            products.forEach((value, k) => {
              expect(value).toBeCloseTo(Math.floor(k / size) === k % size ? 1 : 0, 9);
            });
            if (!keepsOnes) continue;
            const sums = Array.from({ length: columns }, (_, j) =>
              Array.from({ length: rows }, (_, i) => at(map.data, i * columns + j, "element")).reduce(
                (a, b) => a + b,
              ),
            );
            for (const sum of sums) expect(sum).toBeCloseTo(Math.sqrt(rows / columns), 9);
          }
        },
      ),
      { numRuns: 20 },
    );
  });
});

const WIDENED = [
  ["vit:p8:d2:w12:h3", "vit:p8:d2:w20:h4"],
  ["gpt:d1:w8:h2:untied", "gpt:d1:w12:h3:untied"],
  ["llama:d1:w8:h2:kv2", "llama:d1:w12:h3:kv3"],
  ["mlp:6x2", "mlp:9-7"],
] as const;

describe("fuseByMaps", () => {
  it.each(WIDENED)("widens %s to %s, which computes the same with the norms of the target", async (a, b) => {
    const [narrow, wide] = [graphOf(a), graphOf(b)];
    const [network, target] = [random(narrow, 1), random(wide, 2)];
    const { transported, fused, error } = await fuseByMaps(
      { graph: narrow, engine, network },
      { graph: wide, engine, network: target },
      { data: examplesFor(a), weight: 0 },
    );
    expect(error).toBeLessThan(1e-5);
    expect(await difference([narrow, network], [wide, transported])).toBeLessThan(1e-5);
    expect(await difference([wide, target], [wide, fused])).toBe(0);
    for (const name of transported.tensors.keys()) {
      if (!/norm.*weight|ln_.*weight/.test(name)) continue;
      const gains = (await target.read(name)).data;
      for (const [i, gain] of (await transported.read(name)).data.entries()) {
        expect(gain).toBeCloseTo(Number(gains[i]), 5);
      }
    }
  });

  it.each([
    [
      "gpt:d1:w8:h2",
      "gpt:d1:w12:h2",
      /outputs differ by .*wte\.weight is read twice, as an embedding that is also the head/,
    ],
    ["resnet8:w0.5:layer", "resnet8:w1:layer", /outputs differ by .*does not treat all directions alike/],
    ["mlp:9", "mlp:6", /outputs differ by .*layers\.0 has 6 units there and 9 here/],
    ["vit:p8:d1:w8:h2", "vit:p8:d2:w8:h2", /only the second has blocks\.1.* as of another depth/],
  ])("refuses to widen %s to %s, and says why", async (a, b, message) => {
    const [source, target] = [a, b].map((spec, seed) => ({
      graph: graphOf(spec),
      engine,
      network: random(graphOf(spec), seed),
    }));
    if (source === undefined || target === undefined) throw new Error("no networks");
    await expect(fuseByMaps(source, target, { data: examplesFor(a) })).rejects.toThrow(message);
  });
});

describe("transferAcrossWidths", () => {
  it.each(WIDENED)("moves a fine-tune of %s exactly where base B is base A widened to %s", async (a, b) => {
    const [narrow, wide] = [graphOf(a), graphOf(b)];
    const base = random(narrow, 3);
    const fineTune = await tuned(base, narrow);
    const { transported: baseB } = await fuseByMaps(
      { graph: narrow, engine, network: base },
      { graph: wide, engine, network: random(wide, 4) },
      { maps: "random", seed: 5 },
    );
    for (const maps of ["activations", "weights"] as const) {
      const { network, summary } = await transferAcrossWidths(
        { graph: narrow, engine, base, tuned: fineTune },
        { graph: wide, engine, base: baseB },
        { maps, matchData: examplesFor(a), moveEmbeddings: true },
      );
      expect(await difference([narrow, fineTune], [wide, network])).toBeLessThan(1e-4);
      expect(summary.error).toBeLessThan(1e-4);
      expect(summary.warnings).toEqual([]);
    }
  });

  it.each(WIDENED)("gives the fine-tune where both bases are %s", async (spec) => {
    const graph = graphOf(spec);
    const base = random(graph, 6);
    const fineTune = await tuned(base, graph);
    const { network, summary } = await transferAcrossWidths(
      { graph, engine, base, tuned: fineTune },
      { graph, engine, base },
      { matchData: examplesFor(spec), moveEmbeddings: true },
    );
    // Weights differ: changes of gains are moved into the weights that read the norms.
    expect(await difference([graph, fineTune], [graph, network])).toBeLessThan(1e-4);
    expect(summary.task.relative).toBeLessThan(0.85);
    const none = await transferAcrossWidths(
      { graph, engine, base, tuned: fineTune },
      { graph, engine, base },
      { matchData: examplesFor(spec), scale: 0 },
    );
    expect(none.summary.left.length > 0).toBe(spec.includes(":d"));
    for (const name of graph.weights.keys())
      expect(await none.network.read(name)).toEqual(await base.read(name));
  });

  it("says how far it is, up to the end of each part, and stops when asked to", async () => {
    const [narrow, wide] = [graphOf("mlp:4x2"), graphOf("mlp:6x2")];
    const source = { graph: narrow, engine, base: random(narrow, 0), tuned: random(narrow, 1) };
    const target = { graph: wide, engine, base: random(wide, 2) };
    const matchData = examplesFor("mlp:4x2");
    const seen: string[] = [];
    const stop = new AbortController();
    await transferAcrossWidths(source, target, {
      matchData,
      onProgress: ({ phase, done }) => seen.push(`${phase} ${done}`),
    });
    // Two layers in two sweeps behind the activations, and six weights of each network.
    const aligned = ["aligning 0.5", "aligning 0.625", "aligning 0.75", "aligning 0.875"];
    expect(seen.filter((line) => line.startsWith("aligning")).slice(-4)).toEqual(aligned);
    expect(seen.filter((line) => line.startsWith("measuring"))).toHaveLength(12);
    const stopping = transferAcrossWidths(source, target, {
      matchData,
      signal: stop.signal,
      onProgress: ({ done }) => done > 0.6 && stop.abort(),
    });
    await expect(stopping).rejects.toThrow(/abort/i);
  });

  it("names data that are missing or do not fit, other classes, and options out of their ranges", async () => {
    const [narrow, wide] = [graphOf("mlp:4"), graphOf("mlp:6")];
    const source = { graph: narrow, engine, base: random(narrow, 0), tuned: random(narrow, 1) };
    const target = { graph: wide, engine, base: random(wide, 2) };
    const matchData = examplesFor("mlp:4");
    const attempt = (options: object, other = target) =>
      expect(transferAcrossWidths(source, other, options)).rejects;
    await attempt({}).toThrow(/activations are compared on examples.*--match-data/);
    await attempt({ matchData: examplesFor("gpt") }).toThrow(/mlp:4|input|shape/);
    await attempt({ matchData, scale: [0, 1] }).toThrow(/at 2 scales as examples must tell/);
    await attempt({ matchData, maps: "best" }).toThrow(
      /"maps" must be one of activations, weights, random, padded/,
    );
    await attempt({ matchData, matchExamples: 0 }).toThrow(/matchExamples/);
    const others = graphOf("mlp:6", 7);
    await attempt({ matchData }, { graph: others, engine, base: random(others, 2) }).toThrow(
      /"layers\.1\.weight" is \[5, 4\] and \[7, 6\], and no units lie on axis 0/,
    );
    const doubled = { ...wide, outputs: [...wide.outputs, ...wide.outputs] };
    await attempt({ matchData }, { graph: doubled, engine, base: random(wide, 2) }).toThrow(
      /as many outputs: the first has 1, the second 2/,
    );
    const broken = randomWeights(narrow, 1);
    entry(broken, "layers.0.bias", "weight").data[0] = Number.NaN;
    await expect(
      transferAcrossWidths({ ...source, tuned: createCheckpoint(broken) }, target, { matchData }),
    ).rejects.toThrow(/"layers\.0\.bias" 1 of 4 is NaN/);
  });
});
