import { copyFileSync, cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BarrierResult } from "@isthmus/barrier";
import {
  type Checkpoint,
  createCheckpoint,
  openCheckpoint,
  saveCheckpoint,
  type Tensor,
} from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bindNetworks, createEvaluator, readGraph } from "@isthmus/graph";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli, runJson } from "../../../test/helpers/run-cli.ts";
import type { MergeScores } from "../src/merge/score-merge.ts";

// Files that golden/generate-exported-networks.py wrote, with what PyTorch computes.
const FILES = fileURLToPath(new URL("../../../test/fixtures/exported-networks", import.meta.url));
const engine = createOnnxRuntimeEngine();
const NETWORKS = ["conv-norm", "linear-norm", "encoder", "class-token"];
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-exports-"));
  cpSync(FILES, folder, { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

const run = (args: readonly string[]) => runCli(args, { cwd: folder });

/** PyTorch's mean loss and share of errors on `examples.safetensors`, of the network of a seed. */
async function scoresOf(name: string, seed: number): Promise<{ loss: number; error: number }> {
  const file = await openCheckpoint(join(folder, `${name}-parity.safetensors`));
  const [loss, error] = (await file.read(`scores${seed}`)).data as Float64Array;
  await file.close();
  return { loss: loss as number, error: error as number };
}

/** Our scores of a saved checkpoint, by the graph in which the exporter folded nothing. */
async function evaluate(name: string, path: string): Promise<{ loss: number; error: number }> {
  const checkpoint: Checkpoint = await openCheckpoint(join(folder, path));
  const decoded = await readGraph(join(folder, `${name}-legacy-inputs.onnx`));
  const { graph, networks } = await bindNetworks(decoded, [checkpoint]);
  const data = await openDataSet(`safetensors:${join(folder, "examples.safetensors")}`);
  const evaluator = await createEvaluator({ graph, engine }, data);
  const [bound] = networks;
  const { loss, error } = await evaluator.evaluate(bound!.network);
  await Promise.all([evaluator.release(), checkpoint.close()]);
  return { loss, error };
}

/** Names, types and shapes, as strict loading compares them. */
const infosOf = ({ tensors }: Checkpoint) =>
  Object.fromEntries([...tensors].map(([name, { dtype, shape }]) => [name, { dtype, shape }]));

const near = ({ loss, error }: { loss: number; error: number }) => ({
  loss: expect.closeTo(loss, 5),
  error: expect.closeTo(error, 9),
});

describe.each(NETWORKS)("the command on the default export of %s", (name) => {
  const graph = ["--graph", `${name}-dynamo.onnx`];

  test("aligns, and the file is the second network still, under its own names", async () => {
    await runJson(["align", `${name}-0.pt`, `${name}-1.pt`, ...graph, "-o", `${name}.safetensors`], {
      cwd: folder,
    });
    expect(await evaluate(name, `${name}.safetensors`)).toEqual(near(await scoresOf(name, 1)));
    const [aligned, given] = await Promise.all(
      [`${name}.safetensors`, `${name}-1.pt`].map((path) => openCheckpoint(join(folder, path))),
    );
    expect(infosOf(aligned!)).toEqual(infosOf(given!));
    await Promise.all([aligned!.close(), given!.close()]);
  });

  test("scores what it merges as PyTorch scores it", async () => {
    const data = ["--data", "safetensors:examples.safetensors", "-o", "scored.safetensors"];
    const { scores } = await runJson<{ scores: MergeScores }>(
      ["merge", `${name}-0.pt`, `${name}-1.pt`, "--align", ...graph, ...data, "--statistics", "keep"],
      { cwd: folder },
    );
    expect(scores.networks).toEqual([
      { network: `${name}-0.pt`, ...near(await scoresOf(name, 0)) },
      { network: `${name}-1.pt`, ...near(await scoresOf(name, 1)) },
    ]);
    const merged = await evaluate(name, "scored.safetensors");
    expect(scores.merged).toEqual({ network: "merged", ...near(merged) });
    const [a = 0, b = 0] = scores.networks.map(({ loss }) => loss);
    expect(scores.lossAboveChord).toBeCloseTo(merged.loss - (a + b) / 2, 5);
  });

  test("merges all of one network to that network", async () => {
    const networks = [`${name}-1.pt`, `${name}-0.pt`];
    const args = [
      "merge",
      ...networks,
      "--weights",
      "0,1",
      "--align",
      ...graph,
      "-o",
      `${name}-m.safetensors`,
    ];
    expect(await run(args)).toMatchObject({ code: 0 });
    expect(await evaluate(name, `${name}-m.safetensors`)).toEqual(near(await scoresOf(name, 0)));
  });

  test("measures at the ends of a path what PyTorch does", async () => {
    const data = ["--data", "safetensors:examples.safetensors", "--points", "3", "--statistics", "keep"];
    const { points } = await runJson<{ points: { loss: number; error: number }[] }>(
      ["barrier", `${name}-1.pt`, `${name}-0.pt`, ...graph, ...data],
      { cwd: folder },
    );
    expect(points[0]).toMatchObject(near(await scoresOf(name, 1)));
    expect(points.at(-1)).toMatchObject(near(await scoresOf(name, 0)));
  });
});

describe("the command on checkpoints of other habits", () => {
  const graph = ["--graph", "conv-norm-dynamo.onnx"];

  test("finds the network of a training checkpoint and of a wrapper, says so, and keeps the prefix", async () => {
    const args = [
      "align",
      "conv-norm-0-training.pt",
      "conv-norm-0-parallel.pt",
      ...graph,
      "-o",
      "p.safetensors",
    ];
    const { code, stderr } = await run(args);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stderr).toContain(
      'Names in "conv-norm-0-parallel.pt" begin with "module."; the names of the network follow it.',
    );
    expect(stderr).toContain("3 had a batch norm folded in, which stands for itself again.");
    const aligned = await openCheckpoint(join(folder, "p.safetensors"));
    expect([...aligned.tensors.keys()].every((key) => key.startsWith("module."))).toBe(true);
    await aligned.close();
  });

  test("merges checkpoints that differ in a prefix without a graph", async () => {
    const args = ["merge", "conv-norm-1.pt", "conv-norm-0-parallel.pt", "-o", "prefix.safetensors"];
    expect(await run(args)).toMatchObject({ code: 0 });
    const merged = await openCheckpoint(join(folder, "prefix.safetensors"));
    expect(merged.tensors.has("conv1.weight")).toBe(true);
    await merged.close();
  });

  test("asks for the checkpoint that the graph was exported from, and takes it", async () => {
    const pair = ["conv-norm-1.pt", "conv-norm-1.pt"];
    const refused = await run(["align", ...pair, ...graph, "-o", "o.safetensors"]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/carries the weights of another network.*--exported-from/);
    const told = [...graph, "--exported-from", "conv-norm-0.pt"];
    expect(await run(["align", ...pair, ...told, "-o", "o.safetensors"])).toMatchObject({ code: 0 });
  });

  test("compares a pair of one graph, and asks for the checkpoint that the graph is of by its option", async () => {
    const data = ["--data", "safetensors:examples.safetensors", "--measures", "linear-cka"];
    const measure = (a: string, b: string, ...rest: readonly string[]) =>
      run(["similarity", a, b, ...data, ...rest]);
    const [source, other] = ["conv-norm-0.pt", "conv-norm-1.pt"];
    expect(await measure(source, other, ...graph)).toMatchObject({ code: 0 });
    expect(await measure(other, source, ...graph)).toMatchObject({ code: 0 });
    const refused = await measure(other, other, ...graph);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/carries the weights of another network.*--exported-from-a/);
    for (const option of ["--exported-from", "--exported-from-a"])
      expect(await measure(other, other, ...graph, option, source)).toMatchObject({ code: 0 });
  });

  test("fuses a pair of one graph, or of graphs that were exported from others", async () => {
    const file = "linear-norm-dynamo.onnx";
    const same = ["--graph-a", file, "--graph-b", file, "-o", "fused.safetensors"];
    expect(await run(["fuse", "linear-norm-0.pt", "linear-norm-1.pt", ...same])).toMatchObject({ code: 0 });
    copyFileSync(join(folder, file), join(folder, "copy.onnx"));
    const different = ["--graph-a", file, "--graph-b", "copy.onnx", "-o", "other.safetensors"];
    const pair = ["fuse", "linear-norm-0.pt", "linear-norm-1.pt", ...different];
    expect((await run(pair)).stderr).toMatch(/--exported-from-b/);
    expect(await run([...pair, "--exported-from-b", "linear-norm-0.pt"])).toMatchObject({ code: 0 });
  });

  test("trains a checkpoint on, and saves it under its own names", async () => {
    const data = [
      "--data",
      "safetensors:examples.safetensors",
      "--eval-data",
      "none",
      "--epochs",
      "1",
      "--batch",
      "20",
    ];
    const args = ["train", ...graph, "--from", "conv-norm-0-parallel.pt", ...data, "-o", "t.safetensors"];
    expect(await run(args)).toMatchObject({ code: 0 });
    const [trained, from] = await Promise.all(
      ["t.safetensors", "conv-norm-0-parallel.pt"].map((path) => openCheckpoint(join(folder, path))),
    );
    expect(infosOf(trained!)).toEqual(infosOf(from!));
    const mean = "module.bn1.running_mean";
    expect(await trained!.read(mean)).not.toEqual(await from!.read(mean));
    await Promise.all([trained!.close(), from!.close()]);
  });

  test("measures networks of a study that were exported, and asks for the one they are of", async () => {
    const study = (exported: string) => `
title: t
networks:
  nets:
    for: { seed: [1, 2], which: [1] }
    graph: conv-norm-dynamo.onnx
    checkpoint: conv-norm-\${which}.pt${exported}
measurements:
  barrier: { kind: barrier, between: nets, align: weight, data: "safetensors:examples.safetensors", points: 3, restarts: 1 }
tables:
  t: { title: t, of: barrier, by: [which], columns: { loss: { title: loss, mean: barrier.loss.chord } } }
`;
    writeFileSync(join(folder, "asks.yaml"), study(""));
    const refused = await run(["study", "asks.yaml", "-o", "asks"]);
    expect(refused.code).not.toBe(0);
    expect(`${refused.stdout}${refused.stderr}`).toMatch(
      /carries the weights of another network.*exportedFrom:/,
    );
    writeFileSync(join(folder, "told.yaml"), study("\n    exportedFrom: conv-norm-0.pt"));
    expect(await run(["study", "told.yaml", "-o", "told"])).toMatchObject({ code: 0 });
  });

  test("measures batch norms of a merge anew if there are data, and says what it costs if there are none", async () => {
    const pair = ["conv-norm-0.pt", "conv-norm-1.pt"];
    const aligned = ["merge", ...pair, "--align", ...graph];
    const kept = await run([...aligned, "-o", "kept.safetensors"]);
    expect(kept.stderr).toMatch(
      /3 batch norms: their statistics are averaged as they are, .* --statistics keep\./,
    );
    const named = await run(["merge", ...pair, "-o", "named.safetensors"]);
    expect(named.stderr).toMatch(/3 batch norms: their statistics are averaged/);
    const data = ["--data", "safetensors:examples.safetensors"];
    const fresh = await run([...aligned, ...data, "-o", "fresh.safetensors"]);
    expect(fresh.stderr).toMatch(
      /3 batch norms: statistics were measured anew on safetensors:examples\.safetensors/,
    );
    const asked = await run([...aligned, "--statistics", "keep", "-o", "asked.safetensors"]);
    expect(asked.stderr).not.toMatch(/batch norms:/);
    const scores = await Promise.all(
      ["kept", "fresh"].map((file) => evaluate("conv-norm", `${file}.safetensors`)),
    );
    expect(scores[1]!.loss).toBeLessThan(scores[0]!.loss);
    const barrier = ["barrier", ...pair, ...graph, ...data, "--align", "--points", "3"];
    const shown = await run(barrier);
    expect(shown.stdout).toMatch(
      /are measured anew on safetensors:examples\.safetensors, .*, which are scored, too \(--recalibrate-data names others\)/,
    );
    expect(shown.stdout).toMatch(
      /isthmus merge writes the network half-way with --data safetensors:examples\.safetensors; without, it averages statistics, and the loss is another/,
    );
    const { points } = JSON.parse((await run([...barrier, "--json"])).stdout) as {
      readonly points: readonly { readonly loss: number }[];
    };
    expect(points[1]?.loss).toBeCloseTo(scores[1]!.loss, 5);
    const averaged = JSON.parse((await run([...barrier, "--statistics", "keep", "--json"])).stdout) as {
      readonly points: readonly { readonly loss: number }[];
    };
    expect(averaged.points[1]?.loss).toBeCloseTo(scores[0]!.loss, 5);
  });

  test("refuses numbers that are none, and says where they are", async () => {
    const broken = await openCheckpoint(join(folder, "linear-norm-1.pt"));
    const { data, shape } = await broken.read("fc2.bias");
    const spoiled = (data as Float32Array).slice().fill(Number.NaN, 1, 3);
    const tensors = new Map<string, Tensor>();
    for (const name of broken.tensors.keys()) tensors.set(name, await broken.read(name));
    tensors.set("fc2.bias", { dtype: "f32", shape, data: spoiled });
    const path = join(folder, "nan.safetensors");
    await saveCheckpoint(createCheckpoint(tensors), path, { allowNonFinite: true });
    await broken.close();

    const merge = ["merge", "linear-norm-0.pt", "nan.safetensors", "-o", "sum.safetensors"];
    const refused = await run(merge);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/"fc2\.bias" of "nan\.safetensors" 2 of 5 are NaN, .*--allow-non-finite/);
    expect(existsSync(join(folder, "sum.safetensors"))).toBe(false);
    expect(await run([...merge, "--allow-non-finite"])).toMatchObject({ code: 0 });

    const data2 = ["--data", "safetensors:examples.safetensors"];
    const barrier = await run([
      "barrier",
      "linear-norm-0.pt",
      "nan.safetensors",
      "--graph",
      "linear-norm-dynamo.onnx",
      ...data2,
    ]);
    expect(barrier.code).toBe(2);
    expect(barrier.stderr).toMatch(
      /Cannot measure networks .* "nan\.safetensors" .* in "fc2\.bias" 2 of 5 are NaN/,
    );
  });
});

// Files that golden/generate-merged-weights.py wrote: biases that are zeros in the network of seed 0, and trained in the other.
const MERGED = fileURLToPath(new URL("../../../test/fixtures/merged-weights", import.meta.url));

describe("the command on networks of which an exporter left out tensors", () => {
  const pair = ["zero-biases-0.pt", "zero-biases-1.pt"];
  const keep = ["--graph", "zero-biases-dynamo.onnx", "--unread", "keep"];
  const data = ["--data", "safetensors:merged.safetensors", "--points", "3"];

  beforeAll(() => {
    cpSync(MERGED, folder, { recursive: true, filter: (path) => !path.endsWith("examples.safetensors") });
    copyFileSync(join(MERGED, "examples.safetensors"), join(folder, "merged.safetensors"));
  });

  test("aligns by all of them, and says what it did not check", async () => {
    const { code, stdout, stderr } = await run(["align", ...pair, ...keep, "-o", "left.safetensors"]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stderr).toContain(
      'Not read by the graph, so not checked, in "zero-biases-0.pt", "zero-biases-1.pt": unused.',
    );
    expect(stdout).toMatch(
      /verified +B computes the same.*; not read by the graph, so not checked: unused\n/,
    );
    const [aligned, before] = await Promise.all(
      ["left.safetensors", "zero-biases-1.pt"].map((path) => openCheckpoint(join(folder, path))),
    );
    for (const name of ["fc1.bias", "fc2.bias"]) {
      const [bias, former] = [await aligned!.read(name), await before!.read(name)];
      expect(bias).not.toEqual(former);
      expect(bias.data.toSorted()).toEqual(former.data.toSorted());
    }
    await Promise.all([aligned!.close(), before!.close()]);
  });

  test.each(["dynamo", "legacy"])(
    "measures the losses that PyTorch computes, by the export %s",
    async (kind) => {
      const args = [...pair, "--graph", `zero-biases-${kind}.onnx`, "--unread", "keep"];
      const { points } = await runJson<BarrierResult>(["barrier", ...args, ...data], { cwd: folder });
      expect(points.at(0)).toMatchObject(near(await scoresOf("zero-biases", 0)));
      expect(points.at(-1)).toMatchObject(near(await scoresOf("zero-biases", 1)));
    },
  );

  test("refuses the graph whatever the policy, if its file does not record which they were", async () => {
    const bare = [...pair, "--graph", "zero-biases-bare.onnx", "--unread", "keep"];
    for (const verb of [
      ["align", ...bare, "-o", "x.safetensors"],
      ["merge", ...bare, "--align", "-o", "x.safetensors"],
      ["barrier", ...bare, ...data],
    ]) {
      const { code, stderr } = await run(verb);
      expect(code).toBe(2);
      expect(stderr).toMatch(
        /does not read "fc1\.bias" \(zeros\).*Export the graph from "zero-biases-1\.pt"/,
      );
    }
    expect(existsSync(join(folder, "x.safetensors"))).toBe(false);
  });
});
