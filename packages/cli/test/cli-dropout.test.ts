import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DropoutPathResult, DropoutStabilityResult, WalkedPathResult } from "@isthmus/connectivity";
import { saveCheckpoint } from "@isthmus/core";
import { encodeGraph } from "@isthmus/graph";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { randomNetwork } from "../../../test/helpers/random-network.ts";
import { runCli, runJson } from "../../../test/helpers/run-cli.ts";
import { saveExamples } from "../../../test/helpers/save-examples.ts";
import { smallMlp } from "../../../test/helpers/small-networks.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const measuring = () => ["--graph", at("graph.onnx"), "--data", `safetensors:${at("data.safetensors")}`];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-dropout-"));
  const graph = smallMlp();
  writeFileSync(at("graph.onnx"), encodeGraph(graph));
  for (const seed of [1, 2]) await saveCheckpoint(randomNetwork(graph, seed), at(`${seed}.safetensors`));
  await saveExamples(randomExamples([6], { size: 30, classes: 4 }), at("data.safetensors"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("isthmus dropout", () => {
  const command = (...rest: readonly string[]) => ["dropout", at("1.safetensors"), ...measuring(), ...rest];

  test("writes what it prints, the same for the same seed, and a page of it", async () => {
    const [file, page, again] = [at("dropout.json"), at("dropout.html"), at("again.html")];
    const options = ["--shares", "0.5,1", "--trials", "2", "-o", file, "--report", page];
    const printed = await runJson<DropoutStabilityResult>(command(...options));
    expect(printed.layers.map(({ units }) => units)).toEqual([16, 12]);
    expect(printed.shares.map(({ share, trials }) => [share, trials.length])).toEqual([
      [0.5, 2],
      [1, 2],
    ]);
    const written = readFileSync(file, "utf8");
    expect(JSON.parse(written)).toMatchObject({
      shares: printed.shares,
      provenance: { command: expect.stringMatching(/^isthmus dropout/) },
    });
    await runCli(command(...options));
    expect(readFileSync(file, "utf8")).toBe(written);
    expect(readFileSync(page, "utf8")).toContain('id="figure-layers"');
    const { code, stdout } = await runCli(["report", file, "-o", again]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/50\.00 % +\d/);
  });

  test("refuses shares that are none, before it opens the network", async () => {
    const { code, stderr } = await runCli(command("--shares", "1.5"));
    expect(code).not.toBe(0);
    expect(stderr).toContain("must be a number above 0 and at most 1");
  });
});

describe("isthmus path", () => {
  const command = (...rest: readonly string[]) => [
    ...["path", at("1.safetensors"), at("2.safetensors"), ...measuring()],
    ...rest,
  ];

  test("measures the path below its bound, beside the lines to B and to B aligned", async () => {
    const [file, page] = [at("path.json"), at("path.html")];
    const options = ["--align", "--points-per-line", "1", "-o", file, "--report", page];
    const printed = await runJson<DropoutPathResult>(command(...options));
    expect(printed).toMatchObject({ kind: "dropout-path", order: "layers", statistics: "keep" });
    expect(printed.path.loss.max).toBeLessThanOrEqual(printed.bound + 1e-5);
    expect(printed.beside.map(({ name }) => name)).toEqual(["line to B aligned"]);
    expect(readFileSync(page, "utf8")).toContain('id="figure-loss-t"');
    const { code, stdout } = await runCli(["report", file]);
    expect(code).toBe(0);
    expect(stdout).toContain("The loss on the path is at most the loss of the worst network");
  });

  test("walks layer by layer to the same result, beside a curve, and writes networks on the way", async () => {
    const [file, page, networks] = [at("walk.json"), at("walk.html"), at("arrived")];
    const train = ["--train-data", `safetensors:${at("data.safetensors")}`, "--batch", "10", "--lr", "0.01"];
    const short = ["--by", "walk", ...train, "--moves", "2", "--train-steps", "3", "--points", "3"];
    const options = [...short, "--align", "--bezier", "--journal", at("points.json")];
    const written = ["--networks", networks, "-o", file, "--report", page];
    const printed = await runJson<WalkedPathResult>(command(...options, ...written));
    expect(printed).toMatchObject({ kind: "walked-path", moves: 2, trainSteps: 3, batch: 10, steps: 14 });
    expect(printed.segments).toHaveLength(3);
    expect(printed.beside.map(({ name }) => name)).toEqual(["line to B aligned", "Bezier curve"]);
    expect(printed.path.points.at(-1)?.loss).toBe(printed.line.points.at(-1)?.loss);
    expect(readdirSync(networks)).toEqual(["1.safetensors", "2.safetensors"]);
    expect(readFileSync(page, "utf8")).toContain('id="figure-loss-t"');
    const { code, stdout } = await runCli(["report", file]);
    expect(code).toBe(0);
    expect(stdout).toContain("3 layers walked in 2 moves each");
    const again = await runJson<WalkedPathResult>(command(...short, "--align", "--bezier"));
    expect(again.path).toEqual(printed.path);
    expect(readdirSync(folder).filter((name) => name.startsWith("points.json"))).toEqual(["points.json"]);
  });

  test("refuses a walk without examples to train on, and its options without a walk", async () => {
    const walk = await runCli(command("--by", "walk"));
    expect(walk.code).not.toBe(0);
    expect(walk.stderr).toContain("name examples by --train-data");
    const built = await runCli(command("--moves", "3"));
    expect(built.code).not.toBe(0);
    expect(built.stderr).toContain("--moves belongs to --by walk");
  });

  test("says which options belong to which way, and which default each way has", async () => {
    const { stdout } = await runCli(["path", "--help"]);
    const help = stdout.replace(/\s+/g, " ");
    expect(help).toContain(
      "--moves <n> of --by walk: moves in which a layer reaches its place (default: 20)",
    );
    expect(help).toContain("--trials <n> of --by halves: choices of units");
    expect(help).toContain("or kept (default: keep; of --by walk: recalibrate)");
    const { code, stderr } = await runCli(command("--by", "walk", "--points-per-line", "2"));
    expect(code).not.toBe(0);
    expect(stderr).toContain("--points-per-line belongs to --by halves");
  });

  test("refuses statistics that are of averages", async () => {
    const { code, stderr } = await runCli(command("--statistics", "repair"));
    expect(code).not.toBe(0);
    expect(stderr).toContain("Allowed choices are keep, recalibrate");
  });
});
