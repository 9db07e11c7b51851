import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type MapNetworksOptions, mapNetworks, measureBarrier } from "@isthmus/barrier";
import { type Checkpoint, createCheckpoint, InputError, MismatchError } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bindWeights, type DataSet } from "@isthmus/graph";
import { average } from "@isthmus/interpolation";
import { recalibrateBatchNorm } from "@isthmus/statistics";
import { discoverSymmetries, permute, randomAlignment } from "@isthmus/symmetry";
import { alignMany } from "@isthmus/weight-matching";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { evaluateNetwork } from "../../../test/helpers/evaluate-network.ts";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { randomNetwork } from "../../../test/helpers/random-network.ts";
import { smallCnn, smallMlp } from "../../../test/helpers/small-networks.ts";

const engine = createOnnxRuntimeEngine();
const mlp = smallMlp();
const data = randomExamples([6], { size: 20, classes: 3, seed: 1, name: "random" });
const { spec } = await discoverSymmetries({ graph: mlp, engine });
const [a, b, c] = [1, 2, 3].map((seed) => randomNetwork(mlp, seed)) as [Checkpoint, Checkpoint, Checkpoint];
const copy = permute(randomAlignment(spec, 5), a, spec);

const map = (networks: readonly Checkpoint[], options: Partial<MapNetworksOptions> = {}) =>
  mapNetworks({ graph: mlp, engine }, networks, data, { seed: 0, points: 3, ...options });

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isthmus-map-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function lengthBetween(one: Checkpoint, two: Checkpoint): Promise<number> {
  const differences: number[] = [];
  for (const name of mlp.weights.keys()) {
    const [x, y] = [(await one.read(name)).data, (await two.read(name)).data];
    differences.push(Math.hypot(...Array.from(x as Float32Array, (value, i) => value - Number(y[i]))));
  }
  return Math.hypot(...differences);
}

/** Returns a network with the weights of another, of which the first is NaN. */
const withNaN = async (network: Checkpoint) => {
  const weights = await bindWeights(mlp, network);
  const [[name, tensor] = [], ...others] = weights;
  if (name === undefined || tensor === undefined) throw new Error("there is a weight");
  const broken = { ...tensor, data: Float32Array.from(tensor.data as Float32Array).fill(Number.NaN, 0, 1) };
  return createCheckpoint(new Map([[name, broken], ...others]), {}, "seventh");
};

describe("mapNetworks()", () => {
  test("has of every pair what measureBarrier() says, before and after alignment", async () => {
    const result = await map([a, b, c]);
    const { networks: aligned, match } = await alignMany({ graph: mlp, engine }, [a, b, c], { seed: 0 });
    expect(result).toMatchObject({ kind: "map", many: match.many, data: "random", examples: 20, points: 3 });
    for (const [stage, networks] of [
      [result.before, [a, b, c]],
      [result.after, aligned],
    ] as const) {
      expect(stage.pairs.map((pair) => [pair.a, pair.b])).toEqual([
        [0, 1],
        [0, 2],
        [1, 2],
      ]);
      for (const pair of stage.pairs) {
        const both = [networks[pair.a]!, networks[pair.b]!] as const;
        const { barrier, points } = await measureBarrier({ graph: mlp, engine }, both, data, { points: 3 });
        expect([pair.losses, pair.errors]).toEqual([[points[1]?.loss], [points[1]?.error]]);
        expect(pair.loss).toBe(barrier.loss.chord);
        expect(pair.error).toBe(barrier.error.chord);
        expect(pair.distance).toBeCloseTo(await lengthBetween(...both), 5);
      }
      const mean = average(networks);
      const { loss, error } = await evaluateNetwork({ graph: mlp, data }, mean);
      expect(stage.mean).toMatchObject({ loss, error });
      expect(stage.mean.distances[1]).toBeCloseTo(await lengthBetween(mean, networks[1] ?? mean), 5);
    }
    const { loss, error } = await evaluateNetwork({ graph: mlp, data }, b);
    expect(result.networks[1]).toEqual({ source: b.source, role: "network", loss, error });
  });

  test("puts a permuted copy on its original: no barrier, no distance, joined first", async () => {
    const { before, after, networks } = await map([a, b, copy, c]);
    expect(before.pairs[1]?.distance).toBeGreaterThan(1);
    expect(after.pairs[1]).toMatchObject({ a: 0, b: 2, loss: 0, error: 0, distance: 0 });
    // On the way from a network to itself, the loss is that of the network everywhere.
    expect(after.pairs[1]?.losses).toEqual([networks[0]?.loss]);
    expect(after.tree.joins[0]).toEqual({ a: 0, b: 2, height: 0 });
    const [one, , two] = after.places.networks;
    for (const axis of [0, 1] as const) expect(two?.[axis]).toBeCloseTo(one?.[axis] ?? Number.NaN, 6);
    const places = after.tree.order.map((network) => [0, 2].includes(network));
    expect(places.join().includes("true,true")).toBe(true);
  });

  test("aligns and places a star, which is no part of the mean", async () => {
    const { networks, after } = await map([a, b], { star: c });
    expect(networks.map(({ role }) => role)).toEqual(["network", "network", "star"]);
    expect(after.pairs).toHaveLength(3);
    expect(after.places.networks).toHaveLength(3);
    const aligned = await alignMany({ graph: mlp, engine }, [a, b, c], { seed: 0 });
    const { loss } = await evaluateNetwork({ graph: mlp, data }, average(aligned.networks.slice(0, 2)));
    expect(after.mean.loss).toBe(loss);
  });

  test("measures batch norms anew between networks and in their mean, but not at the ends", async () => {
    const cnn = smallCnn();
    const images: DataSet = randomExamples([2, 4, 4], { size: 20, classes: 3, seed: 1 });
    const pair = [1, 2].map((seed) => randomNetwork(cnn, seed)) as [Checkpoint, Checkpoint];
    const { before, networks } = await mapNetworks({ graph: cnn, engine }, pair, images, {
      seed: 0,
      points: 3,
    });
    const { barrier } = await measureBarrier({ graph: cnn, engine }, pair, images, { points: 3 });
    expect(before.pairs[0]?.loss).toBe(barrier.loss.chord);
    const mean = await recalibrateBatchNorm({ graph: cnn, engine }, average(pair), images);
    expect(before.mean.loss).toBe((await evaluateNetwork({ graph: cnn, data: images }, mean)).loss);
    expect(networks[0]?.loss).toBe((await evaluateNetwork({ graph: cnn, data: images }, pair[0])).loss);
  });

  test("goes on where it was stopped, to the same result, and keeps what a further network does not change", async () => {
    const journalPath = join(folder, "journal.json");
    const stop = new AbortController();
    const stopped = map([a, b, c], {
      journalPath,
      signal: stop.signal,
      onProgress: ({ done }) => done > 0.6 && stop.abort(),
    });
    await expect(stopped).rejects.toThrow(/abort/i);
    const begun = Object.keys(JSON.parse(await readFile(journalPath, "utf8")).pieces).length;
    expect(begun).toBeGreaterThan(3);
    const shares: number[] = [];
    const resumed = await map([a, b, c], { journalPath, onProgress: ({ done }) => shares.push(done) });
    expect(resumed).toEqual(await map([a, b, c]));
    expect(shares).toEqual([...shares].sort((x, y) => x - y));
    expect(shares.at(-1)).toBe(1);

    const whole = Object.keys(JSON.parse(await readFile(journalPath, "utf8")).pieces);
    await map([a, b, c, copy], { journalPath });
    const grown = Object.keys(JSON.parse(await readFile(journalPath, "utf8")).pieces);
    expect(grown.slice(0, whole.length)).toEqual(whole);
    await expect(map([a, b], { journalPath, points: 5 })).rejects.toThrow(MismatchError);
  });

  test("names what cannot be mapped before the work, and leaves the journal as it was", async () => {
    const journalPath = join(folder, "kept.json");
    await map([a, b], { journalPath });
    const kept = await readFile(journalPath, "utf8");
    const seven = [a, b, c, copy, a, b, await withNaN(c)];
    await expect(map(seven, { journalPath })).rejects.toThrow(/"seventh"/);
    await expect(map(seven, { journalPath })).rejects.toThrow(InputError);
    expect(await readFile(journalPath, "utf8")).toBe(kept);

    const fresh = join(folder, "fresh.json");
    await expect(map(seven, { journalPath: fresh })).rejects.toThrow(InputError);
    await expect(stat(fresh)).rejects.toThrow(/ENOENT/);
    await expect(map([a])).rejects.toThrow(
      `Cannot map networks as there must be at least two: got only "${a.source}"`,
    );
    await expect(map([])).rejects.toThrow("got none");
    await expect(map([a, b, randomNetwork(smallCnn(), 1)])).rejects.toThrow(MismatchError);
    await expect(map([a, b], { points: 2 })).rejects.toThrow(/"points"|points/);
  });
});
