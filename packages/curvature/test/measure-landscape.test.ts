import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { barrierValues, measureBarrier } from "@isthmus/barrier";
import { type Checkpoint, createCheckpoint, MismatchError } from "@isthmus/core";
import { type LandscapeResult, type MeasureLandscapeOptions, measureLandscape } from "@isthmus/curvature";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import type { DataSet, Engine, Graph } from "@isthmus/graph";
import { lerp } from "@isthmus/interpolation";
import { recalibrateBatchNorm } from "@isthmus/statistics";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { evaluateNetwork } from "../../../test/helpers/evaluate-network.ts";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { randomNetwork } from "../../../test/helpers/random-network.ts";
import { smallCnn, smallMlp } from "../../../test/helpers/small-networks.ts";
import { firstDerivatives } from "./first-derivatives.ts";

const engine = createOnnxRuntimeEngine();
const mlp = smallMlp();
const data = randomExamples([6], { size: 24, classes: 4, seed: 1, name: "random" });
const subject = (network: Checkpoint) => ({ label: network.source, network });
const [a, b, c, d] = [1, 2, 3, 4].map((seed) => randomNetwork(mlp, seed)) as [
  Checkpoint,
  Checkpoint,
  Checkpoint,
  Checkpoint,
];

interface Parts {
  readonly graph?: Graph;
  readonly network?: Checkpoint;
  readonly others?: readonly Checkpoint[];
  readonly data?: DataSet;
  readonly engine?: Engine;
}

const measure = (options: MeasureLandscapeOptions, parts: Parts = {}): Promise<LandscapeResult> =>
  measureLandscape(
    { graph: parts.graph ?? mlp, engine: parts.engine ?? engine },
    { network: subject(parts.network ?? a), others: (parts.others ?? []).map(subject) },
    parts.data ?? data,
    options,
  );

/** Scales tensors of a network by their names. */
async function scaled(
  network: Checkpoint,
  factorOf: (name: string, index: number) => number,
): Promise<Checkpoint> {
  const tensors = await Promise.all(
    [...network.tensors.keys()].map(async (name) => {
      const tensor = await network.read(name);
      const values = (tensor.data as Float32Array).map((x, i) => x * factorOf(name, i));
      return [name, { ...tensor, data: values }] as const;
    }),
  );
  return createCheckpoint(new Map(tensors), {}, "scaled");
}

/** Scales the first layer up and the second one down, which leaves the function of a ReLU network. */
const rescaled = (network: Checkpoint, factor: number) =>
  scaled(network, (name) => (name.startsWith("l0") ? factor : name === "l1.weight" ? 1 / factor : 1));

const spread = (one: readonly number[], other: readonly number[]) =>
  Math.max(...one.map((value, i) => Math.abs(value - other[i]!) / Math.max(1, Math.abs(value))));

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isthmus-landscape-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe("random directions", () => {
  test("have the sizes that they are normalised to, and leave vectors where they are", async () => {
    const norm = async (network: Checkpoint, names: readonly string[]) => {
      const tensors = await Promise.all(names.map((name) => network.read(name)));
      return Math.hypot(...tensors.flatMap(({ data: values }) => [...(values as Float32Array)]));
    };
    const matrices = ["l0.weight", "l1.weight", "l2.weight"];
    const biases = ["l0.bias", "l1.bias", "l2.bias"];
    for (const normalization of ["filter", "layer", "whole"] as const) {
      const { basis } = await measure({ normalization, points: 2, local: false });
      for (const { length } of basis) expect(length).toBeCloseTo(await norm(a, matrices), 4);
      const moving = await measure({ normalization, points: 2, local: false, vectors: "move" });
      expect(moving.basis[0]?.length).toBeCloseTo(await norm(a, [...matrices, ...biases]), 4);
    }
    const { basis, cosines } = await measure({ normalization: "none", points: 2, local: false });
    // Of 336 independent normal numbers.
    for (const { length } of basis) expect(Math.abs(length / Math.sqrt(336) - 1)).toBeLessThan(0.2);
    expect(cosines[0]?.[0]).toBe(1);
    expect(Math.abs(cosines[0]?.[1] ?? 1)).toBeLessThan(0.3);
  });

  test("give the same numbers for a layer scaled up and the next one down, if they have filters' sizes", () =>
    fc.assert(
      fc.asyncProperty(fc.double({ min: 0.05, max: 20, noNaN: true }), fc.nat(100), async (factor, seed) => {
        const other = await rescaled(a, factor);
        for (const normalization of ["filter", "layer"] as const) {
          const options = { normalization, seed, points: 5, local: false };
          const [one, two] = [await measure(options), await measure(options, { network: other })];
          expect(spread(one.loss, two.loss)).toBeLessThan(2e-5);
        }
      }),
      { numRuns: 8, seed: 1 },
    ));

  test("give others if they are plain, or if single units are scaled, which documents say", async () => {
    const options = { points: 5, local: false };
    const other = await rescaled(a, 8);
    const plain = { ...options, normalization: "none" } as const;
    expect(
      spread((await measure(plain)).loss, (await measure(plain, { network: other })).loss),
    ).toBeGreaterThan(0.1);
    // The first of 16 units of l0 up, and what leads from it to the 12 of l1 down; weights are [in, out].
    const unit = await scaled(a, (name, i) => {
      if (name === "l1.weight") return i < 12 ? 1 / 8 : 1;
      return (name === "l0.weight" && i % 16 === 0) || (name === "l0.bias" && i === 0) ? 8 : 1;
    });
    const [here, there] = [await measure(options), await measure(options, { network: unit })];
    expect(here.networks[0]?.loss).toBeCloseTo(there.networks[0]?.loss ?? Number.NaN, 5);
    expect(spread(here.loss, there.loss)).toBeGreaterThan(1e-3);
  });

  test("are the same for the same seed, whatever their number, and others for another", async () => {
    const line = await measure({ dimensions: 1, points: 3 });
    expect(JSON.stringify(await measure({ dimensions: 1, points: 3 }))).toBe(JSON.stringify(line));
    const solid = await measure({ dimensions: 3, points: 3 });
    expect(solid.loss).toHaveLength(27);
    // Along the first axis, in the middle of the others.
    expect([4, 13, 22].map((place) => solid.loss[place])).toEqual(line.loss);
    expect(solid.topology.shape).toEqual([3, 3, 3]);
    expect((await measure({ dimensions: 1, points: 3, seed: 1 })).loss).not.toEqual(line.loss);
    expect(JSON.parse(JSON.stringify(solid))).toEqual(solid);
  });

  test("begin as slope and curvature say", async () => {
    const { loss, basis, axes } = await measure({ dimensions: 1, points: 5, range: [-0.004, 0.004] });
    const { slope = Number.NaN, curvature = Number.NaN } = basis[0] ?? {};
    const middle = loss[2]!;
    for (const [i, t] of axes[0]!.entries()) {
      expect(loss[i]).toBeCloseTo(middle + slope * t + 0.5 * curvature * t * t, 4);
    }
    expect(slope).toBeCloseTo((loss[3]! - loss[1]!) / 0.004, 2);
  });
});

describe("eigenvectors", () => {
  test("are orthonormal, and the loss curves by their eigenvalues along them", async () => {
    const { basis, cosines, converged, derivatives } = await measure({
      ...{ directions: "eigenvectors", hessianExamples: 0, points: 3 },
    });
    expect([converged, derivatives]).toEqual([true, "exact"]);
    for (const { eigenvalue = Number.NaN, curvature = Number.NaN, length } of basis) {
      expect(length).toBeCloseTo(1, 5);
      expect(Math.abs(curvature - eigenvalue)).toBeLessThan(1e-4 * Math.abs(eigenvalue));
    }
    expect(basis[0]!.eigenvalue).toBeGreaterThan(basis[1]!.eigenvalue!);
    expect(Math.abs(cosines[0]![1]!)).toBeLessThan(1e-5);
  });

  test("are of matrices alone if vectors are to stay", async () => {
    const moving = await measure({ directions: "eigenvectors", dimensions: 1, points: 2 });
    const staying = await measure({
      directions: "eigenvectors",
      dimensions: 1,
      points: 2,
      vectors: "ignore",
    });
    expect(staying.basis[0]!.eigenvalue).toBeLessThan(moving.basis[0]!.eigenvalue!);
  });

  test("come from differences of gradients where there are no second derivatives, and say so", async () => {
    const limited = firstDerivatives(engine);
    const options = { directions: "eigenvectors", points: 2, dimensions: 1 } as const;
    const [exact, other] = [await measure(options), await measure(options, { engine: limited })];
    expect(other).toMatchObject({ derivatives: "finite-differences", reason: "Cannot differentiate twice" });
    expect(other.basis[0]!.eigenvalue! / exact.basis[0]!.eigenvalue!).toBeCloseTo(1, 2);
    expect(exact.reason).toBeUndefined();
  });

  test("report how far they are", async () => {
    const stages = new Set<string>();
    let last = 0;
    await measure({
      ...{ directions: "eigenvectors", points: 3, dimensions: 1 },
      onProgress: ({ stage, done }) => {
        stages.add(stage);
        last = done;
      },
    });
    expect([...stages]).toEqual(["eigenvectors", "grid"]);
    expect(last).toBe(1);
  });
});

describe("a trajectory", () => {
  test("lies in its plane as far as it is explained, at the distances of its snapshots", async () => {
    const result = await measure({ directions: "trajectory", points: 3 }, { others: [b, c], network: d });
    const [end, first, second] = result.networks;
    expect(end).toMatchObject({ label: "network 4", place: [0, 0], distance: 0 });
    // Three networks span a plane.
    expect(result.basis[0]!.explained! + result.basis[1]!.explained!).toBeCloseTo(1, 9);
    for (const { length } of result.basis) expect(length).toBeCloseTo(1, 5);
    const apart = async (one: Checkpoint, other: Checkpoint) => {
      const ways = await Promise.all(
        [...mlp.weights.keys()].map(async (name) => {
          const [x, y] = [
            (await one.read(name)).data as Float32Array,
            (await other.read(name)).data as Float32Array,
          ];
          return [...x].map((value, i) => value - y[i]!);
        }),
      );
      return Math.hypot(...ways.flat());
    };
    const places = [end!.place, first!.place, second!.place];
    for (const [i, j, one, other] of [
      [0, 1, d, b],
      [0, 2, d, c],
      [1, 2, b, c],
    ] as const) {
      const way = places[i]!.map((x, axis) => x - places[j]![axis]!);
      expect(Math.hypot(...way)).toBeCloseTo(await apart(one, other), 4);
    }
    expect(first!.distance).toBeLessThan(1e-3);
    // The grid has room around all of it.
    for (const [axis, places] of result.axes.entries()) {
      for (const { place } of result.networks) {
        expect(places[0]!).toBeLessThan(place[axis]!);
        expect(places.at(-1)!).toBeGreaterThan(place[axis]!);
      }
    }
    expect(first).toMatchObject(await lossOf(b));
  });

  test("counts its end once, if it is named among the snapshots, too", async () => {
    const options = { directions: "trajectory", points: 2, local: false } as const;
    const once = await measure(options, { others: [b, c], network: d });
    expect(await measure(options, { others: [b, c, d], network: d })).toEqual(once);
  });

  test("of more snapshots leaves a distance, which the parts that are not explained make", async () => {
    const { basis, networks } = await measure(
      { directions: "trajectory", points: 2, dimensions: 1 },
      { others: [b, c], network: d },
    );
    expect(basis[0]!.explained).toBeGreaterThan(0.4);
    expect(basis[0]!.explained).toBeLessThan(0.9);
    expect(networks[1]!.distance).toBeGreaterThan(0.1);
  });
});

async function lossOf(network: Checkpoint, graph = mlp, examples = data) {
  const { loss, error } = await evaluateNetwork({ graph, data: examples }, network);
  return { loss, error };
}

describe("directions to other networks", () => {
  test("have the other at 1, and what evaluate() says of every place", async () => {
    const result = await measure({ directions: "networks", points: 3, range: [0, 1] }, { others: [b, c] });
    expect(result.networks.map(({ place }) => place.map((x) => Number(x.toFixed(6)) + 0))).toEqual([
      [0, 0],
      [1, 0],
      [0, 1],
    ]);
    // Rows along the first, columns along the second direction.
    for (const [place, network] of [
      [0, a],
      [1, lerp(a, c, 0.5)],
      [2, c],
      [3, lerp(a, b, 0.5)],
      [6, b],
    ] as const) {
      expect(result.loss[place]).toBeCloseTo((await lossOf(network)).loss, 5);
    }
  });

  test("go with a batch norm's statistics as planes do", async () => {
    const graph = smallCnn();
    const images = randomExamples([2, 4, 4], { size: 20, classes: 3, seed: 2 });
    const [one, other] = [randomNetwork(graph, 1), randomNetwork(graph, 2)];
    const parts = { graph, network: one, others: [other], data: images };
    const options = { directions: "networks", points: 2, range: [0, 1] } as const;
    const again = await measure(options, parts);
    expect(again.statistics).toBe("recalibrate");
    const measured = await recalibrateBatchNorm({ graph, engine }, other, images);
    expect(again.loss[1]).toBeCloseTo((await lossOf(measured, graph, images)).loss, 4);
    expect(again.basis[0]?.slope).toBeUndefined();
    expect(again.reason).toMatch(/^batch norms are measured again at every place/);
    expect((await measure({ points: 2, dimensions: 1 })).statistics).toBe("keep");
    const kept = await measure({ ...options, statistics: "keep" }, parts);
    expect(kept.loss[1]).toBeCloseTo((await lossOf(other, graph, images)).loss, 4);
    expect(kept.basis[0]?.slope).toBeDefined();
    expect(kept.reason).toBeUndefined();
  });
});

describe("a line from an initialization", () => {
  test("has the barriers of the line, and says whether it only falls", async () => {
    const result = await measure({ directions: "initialization", points: 9 }, { others: [b] });
    expect(result.axes[0]).toEqual(Array.from({ length: 9 }, (_, i) => i / 8));
    const { points, barrier } = await measureBarrier({ graph: mlp, engine }, [b, a], data, { points: 9 });
    expect(result.loss).toEqual(points.map(({ loss }) => loss));
    expect(result.interpolation?.barrier).toEqual(barrier);
    expect(result.networks.map(({ place }) => place)).toEqual([[1], [0]]);
    const { from = 0, to = 0, largestRise = 0, monotone } = result.interpolation ?? {};
    const at = (t: number) => result.loss[Math.round(8 * t)]!;
    expect(largestRise).toBeCloseTo(at(to) - at(from), 12);
    const rises = result.loss.flatMap((x, i) => result.loss.slice(i).map((y) => y - x));
    expect(largestRise).toBe(Math.max(...rises));
    expect(monotone).toBe(largestRise <= 1e-6 * Math.max(...result.loss));
    expect(barrierValues(result.axes[0]!, result.error)).toEqual(result.interpolation?.barrier.error);
  });
});

describe("measureLandscape()", () => {
  test("resumes from its journal with the same bytes, and refuses one of other directions", async () => {
    const journalPath = join(folder, "rows.json");
    const options = { points: 3, local: false };
    const whole = await measure(options);
    const controller = new AbortController();
    const interrupted = measure({
      ...options,
      ...{ journalPath, signal: controller.signal },
      onProgress: ({ completed }) => {
        if (completed === 4) controller.abort();
      },
    });
    await expect(interrupted).rejects.toThrow(/abort/i);
    expect(Object.keys(JSON.parse(await readFile(journalPath, "utf8")).pieces)).toEqual(["row 0"]);
    const evaluated: number[] = [];
    const resumed = await measure({
      ...{ ...options, journalPath },
      onProgress: ({ completed }) => evaluated.push(completed),
    });
    expect(JSON.stringify(resumed)).toBe(JSON.stringify(whole));
    expect(evaluated).toEqual([4, 5, 6, 7, 8, 9, 10]);
    const before = await readFile(journalPath, "utf8");
    for (const other of [{ seed: 1 }, { normalization: "layer" }, { range: [-2, 2] }] as const) {
      await expect(measure({ ...options, ...other, journalPath })).rejects.toThrow(MismatchError);
    }
    expect(await readFile(journalPath, "utf8")).toBe(before);
    await writeFile(journalPath, "");
    await expect(measure({ ...options, journalPath })).rejects.toThrow(/journal|pieces/);
  });

  test.each([
    [{ dimensions: 11 }, [], /"dimensions" must be a whole number from 1 to 10: it is 11/],
    [{ dimensions: 0 }, [], /"dimensions" must be a whole number from 1 to 10: it is 0/],
    [{ points: 1 }, [], /"points" must be a whole number from 2 to 10000: it is 1/],
    [{ range: [1, -1] }, [], /"range" must be two numbers, the first one smaller: it is \[1,-1\]/],
    [{ directions: "gradient" }, [], /"directions" must be one of random, .*: it is "gradient"/],
    [{ directions: "trajectory" }, [], /two snapshots or more: only its end is there/],
    [{ directions: "trajectory" }, [b], /have 1 principal components at most: "dimensions" is 2/],
    [{ directions: "trajectory", normalization: "filter" }, [b, c], /must keep their lengths/],
    [
      { directions: "trajectory", dimensions: 2 },
      [b, b],
      /differ in 2 directions: the 3 from .* differ in 1/,
    ],
    [{ directions: "networks", dimensions: 2 }, [b], /one other network for every direction/],
    [{ directions: "networks" }, [b, b], /directions must be independent/],
    [{ directions: "networks" }, [a], /must have a length above 0: that of "network 1" is 0/],
    [{ directions: "initialization" }, [], /must have one: there are 0/],
    [{ directions: "initialization", range: [0, 2] }, [b], /goes from 0 to 1/],
    [
      { directions: "eigenvectors", dimensions: 3, steps: 2 },
      [],
      /"steps" must be enough for 3 eigenvectors: it is 2/,
    ],
  ] as const)("refuses %j", async (options, others, message) => {
    await expect(measure(options as MeasureLandscapeOptions, { others })).rejects.toThrow(message);
  });
});
