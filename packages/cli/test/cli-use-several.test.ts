import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openCheckpoint, saveCheckpoint } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { discoverSymmetries, permute, randomAlignment } from "@isthmus/symmetry";
import { parseNetwork } from "@isthmus/zoo";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRunner, runAlone, runJson } from "../../../test/helpers/run-cli.ts";
import { stripes } from "../../../test/helpers/stripes.ts";
import { type ClusterFolder, countDone, makeClusterFolder, writeNetworks } from "./cluster-folder.ts";

const OWN = fileURLToPath(new URL("own/distances.mjs", import.meta.url));

/** What the measurement of several networks finds. */
interface Distances {
  readonly networks: readonly string[];
  readonly measuredBy: string;
  readonly distances: readonly { readonly a: string; readonly b: string; readonly distance: number }[];
}

/** Its processes know the measurements of this file, which no other test should find there. */
const runner = createRunner();

let cluster: ClusterFolder;
/** Distances of the networks two by two, as this test computes them. */
const expected: number[] = [];
beforeAll(async () => {
  cluster = makeClusterFolder();
  copyFileSync(OWN, join(cluster.work, "distances.mjs"));
  await writeNetworks(cluster.work, [0, 1, 2]);
  const { graph, initialize } = parseNetwork("mlp:6", stripes(100));
  const { spec } = await discoverSymmetries({ graph, engine: createOnnxRuntimeEngine() });
  const permuted = permute(randomAlignment(spec, 7), initialize(0), spec);
  await saveCheckpoint(permuted, join(cluster.work, "permuted.safetensors"));
  for (const [a, b] of [[0, 1] as const, [0, 2] as const, [1, 2] as const])
    expected.push(await distanceBetween(a, b));
}, 60_000);
afterAll(() => {
  runner.end();
  cluster.remove();
});

/** Reads all weights of the network of a seed, one after the other. */
async function weightsOf(seed: number): Promise<readonly number[]> {
  const network = await openCheckpoint(join(cluster.work, `net-${seed}.safetensors`));
  const weights: number[] = [];
  for (const name of network.tensors.keys())
    for (const value of (await network.read(name)).data) weights.push(Number(value));
  await network.close();
  return weights;
}

const productOf = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, i) => sum + value * (b[i] ?? Number.NaN), 0);

async function distanceBetween(one: number, two: number): Promise<number> {
  const [a, b] = [await weightsOf(one), await weightsOf(two)];
  const gaps = a.map((value, i) => value - (b[i] ?? Number.NaN));
  return Math.sqrt(productOf(gaps, gaps));
}

async function cosineBetween(one: number, two: number): Promise<number> {
  const [a, b] = [await weightsOf(one), await weightsOf(two)];
  return productOf(a, b) / Math.sqrt(productOf(a, a) * productOf(b, b));
}

const USE = ["--use", "distances.mjs"];
const ON = ["--graph", "model.onnx", "--data", "npz:stripes.npz"];
const SEVERAL = ["distances", "net-0.safetensors", "net-1.safetensors", "net-2.safetensors", ...ON];

describe("measurements of one's own of a pair and of several networks", () => {
  it("a command measures a pair, aligned if it asks for that", async () => {
    const inFolder = { cwd: cluster.work };
    const words = ["pair-distance", "net-0.safetensors", "permuted.safetensors", ...ON, ...USE];
    const asGiven = await runJson<{ distance: number }>(words, inFolder, runner.run);
    expect(asGiven).toMatchObject({
      ...{ kind: "pair-distance", a: "net-0.safetensors", b: "permuted.safetensors" },
      options: { norm: "euclidean" },
    });
    expect(asGiven.distance).toBeGreaterThan(1);
    const aligned = await runJson<object>([...words, "--align"], inFolder, runner.run);
    expect(aligned).toMatchObject({ distance: 0, alignment: { method: "weight" } });
    const other = [...words.slice(0, 2), "net-1.safetensors", ...words.slice(3)];
    const { distance } = await runJson<{ distance: number }>(other, inFolder, runner.run);
    expect(distance).toBeCloseTo(expected[0] ?? Number.NaN, 6);
  }, 60_000);

  it("a command measures weights alone, without a graph and without data", async () => {
    const inFolder = { cwd: cluster.work };
    const words = ["weight-cosine", "net-0.safetensors", "net-1.safetensors", ...USE];
    const { provenance: _, ...found } = await runJson<{ provenance: object }>(words, inFolder, runner.run);
    expect(found).toEqual({
      ...{ kind: "weight-cosine", a: "net-0.safetensors", b: "net-1.safetensors", options: {} },
      cosine: expect.closeTo(await cosineBetween(0, 1), 12),
    });
    const same = ["weight-cosine", "net-0.safetensors", "net-0.safetensors", ...USE];
    expect(await runJson<object>(same, inFolder, runner.run)).toMatchObject({
      cosine: expect.closeTo(1, 12),
    });
    const help = await runner.run(["weight-cosine", "--help", ...USE], inFolder);
    expect(help.stdout).toContain("isthmus weight-cosine a.safetensors b.safetensors --json");
    const refused = await runner.run([...words, "--data", "npz:stripes.npz"], inFolder);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("Unknown option '--data'")]);
  }, 60_000);

  it("a command measures several networks, and workers measure their pairs, to the same numbers", async () => {
    const inFolder = { cwd: cluster.work };
    const [queued, alone, worker] = await Promise.all([
      runJson<Distances>([...SEVERAL, ...USE, ...cluster.where], inFolder, runner.run).finally(
        cluster.stopWorkers,
      ),
      runJson<Distances>([...SEVERAL, ...USE], inFolder, runner.run),
      cluster.startWorker("one", "--use", join(cluster.work, "distances.mjs")),
    ]);
    expect(alone.networks).toEqual(["net-0", "net-1", "net-2"]);
    expect(alone.distances.map(({ a, b }) => `${a} ${b}`)).toEqual([
      "net-0 net-1",
      "net-0 net-2",
      "net-1 net-2",
    ]);
    alone.distances.forEach(({ distance }, i) => {
      expect(distance).toBeCloseTo(expected[i] ?? Number.NaN, 6);
    });
    expect(queued).toEqual({
      ...alone,
      measuredBy: "workers",
      provenance: expect.anything(),
    });
    expect([alone.measuredBy, countDone([worker])]).toEqual(["this process", 3]);
    const help = await runner.run(["distances", "--help", ...USE], inFolder);
    expect(help.stdout).toContain("With --queue, workers measure the distances.");
  }, 120_000);

  it("a study measures pairs and groups, in threads and on workers to the same bytes", async () => {
    mkdirSync(join(cluster.work, "own"));
    copyFileSync(OWN, join(cluster.work, "own", "distances.mjs"));
    const study = `title: Distances
use: [./distances.mjs]
networks:
  nets: { for: { seed: [0, 1, 2] }, net: "mlp:6", data: npz:stripes.npz:train, seed: "\${seed}", epochs: 1 }
measurements:
  pairs: { kind: pair-distance, between: nets, data: npz:stripes.npz:test }
  aligned: { kind: pair-distance, between: nets, align: weight, data: npz:stripes.npz:test }
  groups: { kind: distances, of: nets, data: npz:stripes.npz:test }
  cosines: { kind: weight-cosine, for: { align: [none, weight] }, between: nets, align: "\${align}" }
tables:
  pairs: { title: Pairs, of: pairs, by: [pair], columns: { pair: { title: Pair }, distance: { title: Distance, mean: distance } } }
  aligned: { title: Aligned, of: aligned, by: [pair], columns: { pair: { title: Pair }, distance: { title: Distance, mean: distance } } }
  groups: { title: Groups, of: groups, each: distances, by: [a, b], columns: { a: { title: A }, b: { title: B }, distance: { title: Distance, mean: distance } } }
  cosines: { title: Cosines, of: cosines, by: [align], columns: { align: { title: Aligned by }, cosine: { title: Cosine, mean: cosine } } }
`;
    writeFileSync(join(cluster.work, "own", "distances.yaml"), study);
    // Processes of their own, as the study names another copy of the file than the commands before it.
    const run = (output: string, ...more: readonly string[]) =>
      runAlone(["study", join("own", "distances.yaml"), "-o", join(cluster.folder, output), "-q", ...more], {
        cwd: cluster.work,
      });
    const worker = cluster.startWorker("two", "--use", join(cluster.work, "distances.mjs"));
    const [queued, threads] = await Promise.all([
      run("queued", ...cluster.where).finally(cluster.stopWorkers),
      run("threads"),
    ]);
    expect([queued.code, threads.code, threads.stderr]).toEqual([0, 0, ""]);
    const filesOf = (output: string) =>
      readdirSync(join(cluster.folder, output, "tasks")).map((key) => [
        key,
        readFileSync(join(cluster.folder, output, "tasks", key, "result.json"), "utf8"),
      ]);
    expect(filesOf("queued")).toEqual(filesOf("threads"));
    // Three networks, three alignments, twice three pairs, one group, twice three angles.
    expect(countDone([await worker])).toBe(19);
    const { tables } = JSON.parse(readFileSync(join(cluster.folder, "threads", "study.json"), "utf8"));
    const numbersOf = ({ rows }: { readonly rows: readonly { distance: number; cosine: number }[] }) =>
      rows.map(({ distance, cosine }) => distance ?? cosine);
    const [pairs, aligned, groups, cosines] = tables.map(numbersOf);
    const [asTrained, matched] = cosines;
    expect([matched > asTrained, matched < 1]).toEqual([true, true]);
    expect(pairs).toHaveLength(3);
    expect(groups).toEqual(pairs);
    pairs.forEach((distance: number, i: number) => {
      expect(aligned[i]).toBeLessThan(distance);
    });
  }, 120_000);
});
