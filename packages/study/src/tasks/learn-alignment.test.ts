import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openCheckpoint, saveCheckpoint, saveFile } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { encodeGraph } from "@isthmus/graph";
import { runTask } from "@isthmus/tasks";
import { parseNetwork } from "@isthmus/zoo";
import { expect, it } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { fewImages } from "../../test/few-images.ts";
import { loadStudyTasks } from "./task-kinds.ts";

const STUDY_TASKS = await loadStudyTasks();

const ports = { engine: createOnnxRuntimeEngine(), openData: async (name: string) => fewImages(name) };
const control = { signal: new AbortController().signal, onProgress: () => {} };
const data = { name: "few:test", digest: "" };

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

/** Saves two small transformers; returns a function that runs a task of them in a folder of that name. */
async function saveTransformers() {
  const { graph, initialize } = parseNetwork("vit:p1:d1:w8:h2", fewImages("few:test"));
  const path = (name: string) => join(folder, name);
  await saveFile(path("graph.onnx"), encodeGraph(graph));
  for (const seed of [0, 1]) await saveCheckpoint(initialize(seed), path(`${seed}.safetensors`));
  const inputs = { graph: [path("graph.onnx")], a: [path("0.safetensors")], b: [path("1.safetensors")] };
  type Others = { readonly how?: typeof control } & Readonly<Record<string, unknown>>;
  return (
    name: string,
    kind: string,
    params: object,
    { how = control, ...others }: Others = {},
  ): Promise<object> => {
    mkdirSync(path(name), { recursive: true });
    const assignment = { kind, params, inputs: { ...inputs, ...others }, folder: path(name) };
    return runTask(STUDY_TASKS, assignment, ports, how);
  };
}

const LEARNING = { seed: 0, examples: 8, streamExamples: 8, steps: 5, batchSize: 4, learningRate: 0.01 };
const MEASURING = { points: 3, refine: 0, path: "linear", statistics: "auto", batchSize: 4 };

it("STUDY_TASKS learn an alignment into a checkpoint, to the same bytes, which barriers and layers open", async () => {
  const run = await saveTransformers();
  const params = { data, options: { ...LEARNING, heads: "invertible", rounds: 2 } };
  const result = await run("once", "learn", params);
  expect(await run("again", "learn", params)).toEqual(result);
  expect(result).toMatchObject({ kind: "learn", data: "few:test", steps: 5, seed: 0, diverged: null });
  expect(readdirSync(join(folder, "once"))).toEqual(["aligned.safetensors"]);
  const [file, second] = ["once", "again"].map((name) => join(folder, name, "aligned.safetensors"));
  expect(readFileSync(file as string)).toEqual(readFileSync(second as string));

  const [b, moved] = [
    await openCheckpoint(join(folder, "1.safetensors")),
    await openCheckpoint(file as string),
  ];
  expect([...moved.tensors]).toEqual([...b.tensors]);
  const [patches, rotated] = [
    await b.read("patch_embed.proj.weight"),
    await moved.read("patch_embed.proj.weight"),
  ];
  expect(rotated.data).not.toEqual(patches.data);
  await Promise.all([b.close(), moved.close()]);

  // The aligned network ends the way as B does, and lies elsewhere.
  type Curve = { points: { loss: number }[] };
  const plain = (await run("plain", "barrier", { data, options: MEASURING })) as Curve;
  const aligned = (await run("pair", "barrier", { data, options: MEASURING }, { aligned: [file] })) as Curve;
  expect(aligned.points[2]?.loss).toBeCloseTo(plain.points[2]?.loss as number, 5);
  expect(aligned.points[1]?.loss).not.toBeCloseTo(plain.points[1]?.loss as number, 7);
  const options = {
    orders: [],
    points: 3,
    statistics: "auto",
    predict: 0,
    directions: 0,
    batchSize: 4,
    seed: 0,
  };
  const layers = await run("layers", "layers", { data, options }, { aligned: [file] });
  expect(layers).toMatchObject({ whole: { points: aligned.points } });
});

it("STUDY_TASKS go on with a learning that was stopped, to the same bytes", async () => {
  const run = await saveTransformers();
  const params = { data, options: { ...LEARNING, steps: 50, heads: "invertible", rounds: 2 } };
  const controller = new AbortController();
  const onProgress = () => {
    if (existsSync(join(folder, "stopped", "state.safetensors"))) controller.abort();
  };
  const stopped = run("stopped", "learn", params, { how: { signal: controller.signal, onProgress } });
  await expect(stopped).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
  expect(readdirSync(join(folder, "stopped"))).toEqual(["state.safetensors"]);
  const [resumed, whole] = [await run("stopped", "learn", params), await run("whole", "learn", params)];
  expect(resumed).toEqual(whole);
  const [one, two] = ["stopped", "whole"].map((name) =>
    readFileSync(join(folder, name, "aligned.safetensors")),
  );
  expect(one).toEqual(two);
  expect(readdirSync(join(folder, "stopped"))).toEqual(["aligned.safetensors"]);
});

it("STUDY_TASKS match activations, and measure with temperatures", async () => {
  const run = await saveTransformers();
  const options = { examples: 8, batchSize: 4, similarity: "correlation", values: "read" };
  const matched = await run("match", "align", { method: "activation", seed: 0, data, options });
  expect(matched).toMatchObject({ kind: "align", method: "activation", examples: 8 });
  const alignment = [join(folder, "match", "alignment.json")];
  const tempered = await run(
    "tempered",
    "barrier",
    { data, options: { ...MEASURING, temperature: true } },
    { alignment },
  );
  expect(tempered).toMatchObject({ tempered: { points: [{ t: 0 }, { t: 0.5 }, { t: 1 }] } });
});
