import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { defineMeasurement } from "@isthmus/findings";
import type { Engine } from "@isthmus/graph";
import { loadMeasurements } from "@isthmus/measurements";
import { measure } from "@isthmus/measurements/open";
import { expect, onTestFinished, test } from "vitest";
import { SUBJECT_OPTIONS } from "../src/open/subject-options.ts";

const pathOf = (name: string) =>
  fileURLToPath(new URL(`../../../test/golden/command-lines/inputs/${name}`, import.meta.url));
const [A, B] = [pathOf("a.safetensors"), pathOf("b.safetensors")] as const;
const data = `safetensors:${pathOf("examples.safetensors")}:test`;
const on = { engine: createOnnxRuntimeEngine(), graph: pathOf("graph.onnx"), data };

/** Measures with options that no compiler has checked, as JavaScript can. */
const measureUnchecked = (what: string, networks: string | readonly string[], options: object) =>
  measure(what as "layers", networks, options as never);

test.each<readonly [string, object, string]>([
  ["without an engine", { engine: undefined }, 'give an "engine"'],
  ["without examples", { data: undefined }, 'it needs examples: name them with "data"'],
  ["with an option of another name", { pionts: 3 }, 'there is no option "pionts"'],
  ["with a value out of its range", { points: 2 }, '"points" must be a whole number from 3'],
  ["with strange examples", { beside: { trainOn: data } }, "it must ask for them: it asks for none"],
  ["without an architecture", { graph: undefined }, "it needs the architecture"],
])("measure() refuses options %s", async (_, changes, message) => {
  await expect(measureUnchecked("layers", [A, B], { ...on, ...changes })).rejects.toThrow(message);
});

test("measure() refuses a kind that nothing has, and another number of networks", async () => {
  await expect(measureUnchecked("lairs", [A, B], on)).rejects.toThrow("its kind must be one of layers, ");
  await expect(measure("layers", A, on)).rejects.toThrow("the number of networks must be 2: got 1");
  await expect(measure("map", [], on)).rejects.toThrow("the number of networks must be at least 1: got 0");
});

test("options that name a subject are no options of the measurements of this subject, unless both read them", async () => {
  const shared = (await loadMeasurements()).flatMap(({ options, subject }) =>
    Object.keys(SUBJECT_OPTIONS[subject]).filter((name) => name in options && !options[name]?.tasksOnly),
  );
  expect([...new Set(shared)].sort()).toEqual(["loss", "statistics"]);
});

test("measure() says which files it reads and how examples are fed, reports progress, and stops", async () => {
  const files: string[] = [];
  const notes: string[] = [];
  const stages = new Set<string>();
  const controller = new AbortController();
  const stopped = measure("map", [A, B], {
    ...on,
    signal: controller.signal,
    onFiles: (named) => void files.push(...named),
    onNote: (text) => notes.push(text),
    onProgress(stage) {
      stages.add(stage);
      if (stages.size > 1) controller.abort(new Error("enough"));
    },
  });
  await expect(stopped).rejects.toThrow("enough");
  expect(files).toEqual([A, B, on.graph]);
  expect(notes).toEqual([expect.stringContaining("are fed as byte / 255")]);
  expect([...stages][0]).toBe("Aligning");
});

test("measure() keeps finished parts in a journal, and goes on from there", async () => {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-measure-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  let runs = 0;
  const counting: Engine = {
    ...on.engine,
    async load(graph, loading) {
      const session = await on.engine.load(graph, loading);
      return {
        release: () => session.release(),
        run(feeds, out) {
          runs++;
          return session.run(feeds, out);
        },
      };
    },
  };
  const options = { ...on, engine: counting, shares: [0.5], journalPath: join(folder, "trials.json") };
  const first = await measure("dropout-stability", A, options);
  expect(existsSync(options.journalPath)).toBe(true);
  const needed = runs;
  expect(await measure("dropout-stability", A, options)).toEqual(first);
  expect(runs - needed).toBeLessThan(needed);
});

test("measure() gives the networks that it makes the names of the files", async () => {
  const made: string[] = [];
  const result = await measure("curve", [A, B], {
    ...on,
    data: data.replace(":test", ":train"),
    testData: data,
    epochs: 1,
    batch: 8,
    points: 3,
    threads: 1,
    async saveNetwork(name, network) {
      made.push(name, ...network.tensors.keys());
    },
  });
  expect(result.kind).toBe("curve");
  expect(made).toContain("layers.0.weight");
});

test("measure() takes a measurement of one's own, and reads weights alone if it needs no more", async () => {
  const entry = defineMeasurement({
    verb: "count-tensors",
    kind: "count-tensors",
    summary: "Count tensors",
    subject: "pair",
    needsData: false,
    run: async ({ a, b }) => ({ tensors: a.tensors.size + b.tensors.size }),
  });
  expect(await measure(entry, [A, B], {})).toMatchObject({ kind: "count-tensors", tensors: 8 });
});
