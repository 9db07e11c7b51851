import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { measurePath, trainCurve } from "@isthmus/connectivity";
import { type Checkpoint, createCheckpoint, entry } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { fingerprintWeights, type Graph, parameterNames } from "@isthmus/graph";
import { layerOf } from "@isthmus/interpolation";
import { train } from "@isthmus/training";
import { parseNetwork } from "@isthmus/zoo";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { randomNetwork } from "../../../test/helpers/random-network.ts";
import { residualMlp } from "../../../test/helpers/residual-mlp.ts";
import { smallCnn, smallTransformer } from "../../../test/helpers/small-networks.ts";
import { measureWalkedPath, walkLayers } from "../src/index.ts";
import { countWalkSteps } from "../src/walked-path/plan-walk.ts";

const engine = createOnnxRuntimeEngine();
const images = randomExamples([1, 4, 4], { size: 60, classes: 3 });
const { graph } = parseNetwork("mlp:12x2", images);
const networks = [randomNetwork(graph, 0), randomNetwork(graph, 1)] as const;
const SHORT = { moves: 3, trainSteps: 4, batch: 10, threads: 1 };

async function copy(network: Checkpoint): Promise<Checkpoint> {
  const tensors = new Map<string, Awaited<ReturnType<Checkpoint["read"]>>>();
  for (const name of network.tensors.keys()) tensors.set(name, structuredClone(await network.read(name)));
  return createCheckpoint(tensors);
}

/** Returns the layers of which a parameter differs. */
async function differing(of: Graph, x: Checkpoint, y: Checkpoint): Promise<string[]> {
  const layers = new Set<string>();
  for (const name of parameterNames(of)) {
    const [a, b] = [(await x.read(name)).data, (await y.read(name)).data];
    if (a.some((value, i) => value !== b[i])) layers.add(layerOf(name));
  }
  return [...layers];
}

describe("walkLayers()", () => {
  it("holds the layer that walks and the ones that have arrived, and trains the ones behind", async () => {
    const [a, b] = networks;
    const points: { readonly layer: number; readonly phase: string; readonly network: Checkpoint }[] = [];
    const { layers, steps } = await walkLayers({ graph, engine }, [a, b], images, {
      ...SHORT,
      onPoint: async ({ network, ...place }) => void points.push({ ...place, network: await copy(network) }),
    });
    expect([layers, steps]).toEqual([["layers.0", "layers.1", "layers.2"], 27]);
    expect(steps).toBe(countWalkSteps(graph, SHORT));
    expect(points).toHaveLength(14);
    for (const [index, { layer, phase, network }] of points.entries()) {
      const front = layers.slice(0, layer);
      expect((await differing(graph, network, b)).filter((name) => front.includes(name))).toEqual([]);
      const before = points[index - 1]?.network ?? a;
      const changed = await differing(graph, before, network);
      // Before a move the layer that walks is held, in front of it are those of B.
      const trained = layers.slice(layer + 1);
      expect(changed).toEqual(phase === "trained" ? trained : layers.slice(layer));
    }
    const ended = points.at(-1)?.network as Checkpoint;
    expect(await differing(graph, ended, b)).toEqual(["layers.2"]);
  });

  it.each([
    ["a CNN with batch norms", smallCnn(), randomExamples([2, 4, 4], { size: 40, classes: 3 })],
    ["a residual network", residualMlp(8, "two layers"), randomExamples([10], { size: 20, classes: 3 })],
  ] as const)("walks %s to its end", async (_, other, data) => {
    const ends = [randomNetwork(other, 0), randomNetwork(other, 1)] as const;
    const options = { moves: 2, trainSteps: 2, batch: 10, threads: 1, learningRate: 1e-3, points: 2 };
    const walked = await measureWalkedPath(
      { graph: other, engine },
      ends,
      { training: data, evaluation: data },
      options,
    );
    const { path, line, segments } = walked;
    expect(path.points.at(-1)?.loss).toBe(line.points.at(-1)?.loss);
    expect(path.points[0]?.loss).toBe(line.points[0]?.loss);
    expect(path.points).toHaveLength(4 * segments.length - 1);
    expect(path.length).toBeGreaterThan(line.length);
    expect(segments.at(-1)?.to).toBe(1);
  });
});

describe("measureWalkedPath()", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "isthmus-walk-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const data = { training: images, evaluation: images };

  it("stays far below the line between networks that were trained", async () => {
    const { graph, initialize } = parseNetwork("mlp:32x2", images);
    const ends = await Promise.all(
      [0, 1].map(async (seed) => {
        const options = { seed, epochs: 60, batch: 10, threads: 1 };
        return (await train({ graph, engine }, initialize(seed), images, options)).weights;
      }),
    );
    const options = { moves: 20, trainSteps: 30, batch: 20, threads: 1, learningRate: 0.1 };
    const { path, line } = await measureWalkedPath({ graph, engine }, ends as never, data, options);
    expect(path.loss.max).toBeLessThan(line.loss.max / 2);
  });

  it("goes on where it was stopped, to the same result, and leaves its journal only", async () => {
    const journalPath = join(folder, "walk.json");
    const whole = await measureWalkedPath({ graph, engine }, networks, data, { ...SHORT, points: 3 });
    for (const stop of [3, 5, 4]) {
      const controller = new AbortController();
      let seen = 0;
      const stopped = measureWalkedPath({ graph, engine }, networks, data, {
        ...{ ...SHORT, points: 3, journalPath, signal: controller.signal },
        onPoint: async () => {
          seen += 1;
          if (seen === stop) controller.abort();
        },
      });
      await expect(stopped).rejects.toThrow(/abort/i);
    }
    const resumed = { ...SHORT, points: 3, journalPath };
    expect(await measureWalkedPath({ graph, engine }, networks, data, resumed)).toEqual(whole);
    expect(readdirSync(folder)).toEqual(["walk.json"]);
    const other = measureWalkedPath({ graph, engine }, networks, data, { ...resumed, seed: 1 });
    await expect(other).rejects.toThrow("as it must be of the same measurement");
  });

  it("measures a Bezier curve of as many steps beside the walk, whose training goes on, too", async () => {
    const journalPath = join(folder, "walk.json");
    const options = { ...SHORT, points: 3, bezier: true };
    const whole = await measureWalkedPath({ graph, engine }, networks, data, options);
    const { path } = await trainCurve({ graph, engine }, networks, images, {
      ...{ seed: 0, batch: SHORT.batch, threads: 1 },
      epochs: Math.round((countWalkSteps(graph, SHORT) * SHORT.batch) / images.size),
      schedule: { kind: "constant", learningRate: 0.03 },
    });
    const curve = await measurePath({ graph, engine }, path, images, { points: 3 });
    expect(whole.beside).toEqual([{ name: "Bezier curve", path: curve }]);
    const controller = new AbortController();
    const seen: string[] = [];
    const stopped = measureWalkedPath({ graph, engine }, networks, data, {
      ...{ ...options, journalPath, signal: controller.signal },
      onProgress({ stage }) {
        seen.push(stage);
        if (stage === "walk") controller.abort();
      },
    });
    await expect(stopped).rejects.toThrow(/abort/i);
    expect(seen[0]).toBe("curve");
    const resumed = await measureWalkedPath({ graph, engine }, networks, data, { ...options, journalPath });
    expect(resumed).toEqual(whole);
    expect(readdirSync(folder)).toEqual(["walk.json"]);
  });

  it("is measured as far as its points are apart", async () => {
    const seen: Checkpoint[] = [];
    const { path } = await measureWalkedPath({ graph, engine }, networks, data, {
      ...{ ...SHORT, points: 2 },
      onPoint: async ({ network }) => void seen.push(await copy(network)),
    });
    let length = 0;
    for (const [index, point] of [...seen, networks[1]].entries()) {
      const before = seen[index - 1] ?? networks[0];
      let square = 0;
      for (const name of parameterNames(graph)) {
        const [x, y] = [(await before.read(name)).data, (await point.read(name)).data];
        x.forEach((value, i) => {
          square += (Number(value) - Number(y[i])) ** 2;
        });
      }
      length += Math.sqrt(square);
    }
    expect(path.length).toBeCloseTo(length, 3);
    expect(new Set(await Promise.all(seen.map((network) => fingerprintWeights(graph, network)))).size).toBe(
      14,
    );
  });

  it("refuses numbers of moves and rates that are none, and half precision", async () => {
    const measure = (options: object, of = graph) =>
      measureWalkedPath({ graph: of, engine }, networks, data, options);
    await expect(measure({ moves: 0 })).rejects.toThrow('"moves" must be');
    await expect(measure({ learningRate: 0 })).rejects.toThrow(
      '"learningRate" must be a number above 0: it is 0',
    );
    await expect(measure({ learnRate: 1 })).rejects.toThrow("learnRate");
    await expect(measure({ points: 1 })).rejects.toThrow('"points" must be');
    const name = "layers.0.weight";
    const halved = new Map(graph.weights).set(name, {
      ...entry(graph.weights, name, "weight"),
      dtype: "f16",
    });
    expect(() => countWalkSteps({ ...graph, weights: halved }, SHORT)).toThrow(
      `parameters must be f32: "${name}" is f16`,
    );
  });
});

it("walks a transformer in the order in which data flow", () => {
  const transformer = smallTransformer();
  expect(countWalkSteps(transformer, { moves: 1, trainSteps: 1 })).toBeGreaterThan(3);
});
