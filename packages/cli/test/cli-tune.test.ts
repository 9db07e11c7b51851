import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TuneProgress, tuneByConnectivity } from "@isthmus/connectivity";
import { openCheckpoint, saveCheckpoint } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { encodeGraph, readGraph } from "@isthmus/graph";
import { parseNetwork } from "@isthmus/zoo";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { runCli, runJson } from "../../../test/helpers/run-cli.ts";
import { saveExamples } from "../../../test/helpers/save-examples.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const source = () => `safetensors:${at("data.safetensors")}`;
const command = (...rest: readonly string[]) => [
  ...["tune", at("a.safetensors"), "--graph", at("graph.onnx"), "--data", `${source()}:train`],
  ...["--batch", "10", "--epochs", "4", ...rest],
];
const withCue = () => ["--cue-data", `${source()}:train+cue=grey`];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-tune-"));
  const images = randomExamples([1, 8, 8], { size: 30, classes: 4 });
  await saveExamples(images, at("data.safetensors"));
  const { graph, initialize } = parseNetwork("mlp:8", images);
  writeFileSync(at("graph.onnx"), encodeGraph(graph));
  await saveCheckpoint(initialize(1), at("a.safetensors"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("isthmus tune", () => {
  test("goes on from the state of an interrupted run, to the same bytes as without an interruption", async () => {
    const whole = await runJson(command(...withCue(), "--margin", "2", "-o", at("whole.safetensors")));
    expect(whole).toMatchObject({ method: "cbft", steps: 12, gradients: 33, resumedAt: 0 });
    const stop = new AbortController();
    const { graph } = await readGraph(at("graph.onnx"));
    const network = await openCheckpoint(at("a.safetensors"));
    const data = {
      clean: await openDataSet(`${source()}:train`),
      cue: await openDataSet(`${source()}:train+cue=grey`),
    };
    await expect(
      tuneByConnectivity({ graph, engine: createOnnxRuntimeEngine() }, network, data, {
        ...{ seed: 0, batch: 10, epochs: 4, margin: 2, statePath: at("later.state.safetensors") },
        signal: stop.signal,
        onProgress: ({ epochs }: TuneProgress) => epochs === 2 && stop.abort(),
      }),
    ).rejects.toThrow(/abort/i);
    await network.close();
    const refused = await runCli(command(...withCue(), "--margin", "2", "-o", at("later.safetensors")));
    expect(refused.stderr).toContain("must not replace an earlier one");
    const options = ["--margin", "2", "--resume", "-o", at("later.safetensors")];
    const { stdout } = await runCli(command(...withCue(), ...options));
    expect(stdout).toContain("after 2 of 4 epochs");
    expect(existsSync(at("later.state.safetensors"))).toBe(false);
    expect(readFileSync(at("later.safetensors"))).toEqual(readFileSync(at("whole.safetensors")));
  });

  test("takes all examples in a step where they are fewer than the usual batch", async () => {
    const few = ["tune", at("a.safetensors"), "--graph", at("graph.onnx"), "--data", `${source()}:train`];
    const plain = await runJson([...few, "--method", "all", "--epochs", "1", "-o", at("few.safetensors")]);
    expect(plain).toMatchObject({ batch: 30, steps: 1 });
    const cbft = await runJson([...few, ...withCue(), "--epochs", "1", "-o", at("few-cue.safetensors")]);
    expect(cbft).toMatchObject({ batch: 30, steps: 1 });
  });

  test("trains the last layer alone, or all of it", async () => {
    for (const method of ["last-layer", "all"]) {
      const { stdout } = await runCli(command("--method", method, "-o", at(`${method}.safetensors`)));
      expect(stdout).toContain("12 batches");
    }
    const read = async (file: string) => {
      const network = await openCheckpoint(at(file));
      const names = [...network.tensors.keys()];
      const values = await Promise.all(names.map(async (name) => (await network.read(name)).data));
      await network.close();
      return values;
    };
    const [before, last, all] = [
      await read("a.safetensors"),
      await read("last-layer.safetensors"),
      await read("all.safetensors"),
    ];
    const changed = (after: typeof before) =>
      after.map((values, i) => values.some((x, j) => x !== before[i]?.[j]));
    expect(changed(last)).toEqual([false, false, true, true]);
    expect(changed(all)).toEqual([true, true, true, true]);
  });

  test.each([
    [[], "name them with --cue-data"],
    [
      ["--method", "all", "--cue-data", "mnist:train@10+cue=place"],
      "as it sees examples without the cue only",
    ],
    [["--method", "all", "--epochs", "0"], "--epochs"],
    [["--cue-data", "mnist:train@10+cue=colour"], "KIND must be place or grey"],
  ])("says what is wrong: %j", async (options, message) => {
    const { stderr, code } = await runCli(command(...options, "-o", at("wrong.safetensors")));
    expect(code).not.toBe(0);
    expect(stderr).toContain(message);
    expect(existsSync(at("wrong.safetensors"))).toBe(false);
  });
});
