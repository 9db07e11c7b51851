import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MechanismsResult } from "@isthmus/connectivity";
import { saveCheckpoint } from "@isthmus/core";
import { encodeGraph } from "@isthmus/graph";
import { parseNetwork } from "@isthmus/zoo";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { runCli, runJson } from "../../../test/helpers/run-cli.ts";
import { saveExamples } from "../../../test/helpers/save-examples.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const source = () => `safetensors:${at("data.safetensors")}`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-mechanisms-"));
  const images = randomExamples([1, 8, 8], { size: 30, classes: 4 });
  await saveExamples(images, at("data.safetensors"));
  const { graph, initialize } = parseNetwork("mlp:8", images);
  writeFileSync(at("graph.onnx"), encodeGraph(graph));
  for (const seed of [1, 2]) await saveCheckpoint(initialize(seed), at(`${seed}.safetensors`));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("isthmus mechanisms", () => {
  const command = (...rest: readonly string[]) => [
    ...["mechanisms", at("1.safetensors"), at("2.safetensors"), "--graph", at("graph.onnx")],
    ...["--data", source(), ...rest],
  ];

  test("writes what it prints, the same for the same seed, and a page with a line for each set", async () => {
    const [file, page] = [at("mechanisms.json"), at("mechanisms.html")];
    const options = [
      "--cue",
      "grey",
      "--cue-seed",
      "3",
      "--points",
      "3",
      "--align",
      "-o",
      file,
      "--report",
      page,
    ];
    const printed = await runJson<MechanismsResult>(command(...options));
    expect(printed).toMatchObject({ kind: "mechanisms", path: "line to B aligned", tolerance: 0.05 });
    expect(printed.sets.map(({ name, data }) => [name, data.split("safetensors").at(-1)])).toEqual([
      ["cue", "+cue=grey:1:3"],
      ["no cue", ""],
      ["random cue", "+cue=grey:1:random-cue:3"],
      ["random image", "+cue=grey:1:random-image:3"],
    ]);
    const written = readFileSync(file, "utf8");
    expect(JSON.parse(written)).toMatchObject({
      sets: printed.sets,
      provenance: { command: expect.stringMatching(/^isthmus mechanisms/) },
    });
    await runCli(command(...options));
    expect(readFileSync(file, "utf8")).toBe(written);
    expect(readFileSync(page, "utf8")).toContain('id="figure-error-t"');
    const { code, stdout } = await runCli(["report", file]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/random image +\d/);
  });

  test("measures on sets of other names, a cue in one of them", async () => {
    const other = `--set=patched=${source()}+cue=place:0.5`;
    const { sets } = await runJson<MechanismsResult>(command(other, "--points", "2"));
    expect(sets.map(({ name }) => name)).toEqual(["data", "patched"]);
    expect(sets[0]?.path.points[0]?.loss).not.toBe(sets[1]?.path.points[0]?.loss);
  });

  test.each([
    [["--set", "drawings"], "--set must be a new name, =, and a data set"],
    [["--set", "a=b+cue=nothing"], "KIND must be place or grey"],
    [["--tolerance", "2"], "It must be a number of at least 0 and at most 1"],
    [["--cue-share", "-1"], '"share" must be from 0 to 1: it is -1'],
    [["--statistics", "repair"], "Allowed choices are keep, recalibrate"],
    [["--cue", "smell"], "Allowed choices are place, grey"],
  ])("refuses %j", async (options, message) => {
    const { code, stderr } = await runCli(command(...options));
    expect(code).not.toBe(0);
    expect(stderr).toContain(message);
  });
});
