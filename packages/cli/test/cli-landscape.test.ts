import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { saveCheckpoint } from "@isthmus/core";
import type { LandscapeResult } from "@isthmus/curvature";
import { encodeGraph } from "@isthmus/graph";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { randomNetwork } from "../../../test/helpers/random-network.ts";
import { runCli, runJson } from "../../../test/helpers/run-cli.ts";
import { saveExamples } from "../../../test/helpers/save-examples.ts";
import { smallMlp } from "../../../test/helpers/small-networks.ts";

let folder: string;
let measured: readonly string[];
const at = (name: string) => join(folder, name);
const command = (...rest: readonly string[]) => ["landscape", at("a.safetensors"), ...rest, ...measured];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-landscape-"));
  measured = ["--graph", at("graph.onnx"), "--data", `safetensors:${at("data.safetensors")}`];
  const graph = smallMlp();
  writeFileSync(at("graph.onnx"), encodeGraph(graph));
  for (const [k, name] of ["a", "b", "c"].entries()) {
    await saveCheckpoint(randomNetwork(graph, k), at(`${name}.safetensors`));
  }
  await saveExamples(randomExamples([6], { size: 30, classes: 4 }), at("data.safetensors"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("isthmus landscape", () => {
  test("writes what measureLandscape() returns, the same for the same seed, with a page", async () => {
    const [file, page, again] = [at("landscape.json"), at("page.html"), at("again.html")];
    const line = command("--points", "4", "--seed", "3", "-o", file, "--report", page);
    const printed = await runJson<LandscapeResult>(line);
    expect(printed).toMatchObject({
      kind: "landscape",
      directions: "random",
      seed: 3,
      normalization: "filter",
    });
    expect(printed.loss).toHaveLength(16);
    const written = readFileSync(file, "utf8");
    await runCli(line);
    expect(readFileSync(file, "utf8")).toBe(written);
    expect(JSON.parse(written).provenance.command).toMatch(/^isthmus landscape .* --seed 3/);
    const drawn = readFileSync(page, "utf8");
    for (const name of ["plane-loss", "plane-error"]) expect(drawn).toContain(`id="figure-${name}"`);
    expect((await runCli(["report", file, "-o", again])).code).toBe(0);
    const mainOf = (html: string) => /<header>.*<h2 id="method"/s.exec(html)?.[0];
    expect(mainOf(drawn)).toBeDefined();
    expect(mainOf(readFileSync(again, "utf8"))).toBe(mainOf(drawn));
  });

  test("prints a line along an eigenvector as a chart, and its curvature", async () => {
    const options = ["--directions", "eigenvectors", "--dimensions", "1", "--points", "9", "--range", "-2:2"];
    const { code, stdout } = await runCli(command(...options));
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Direction +Length +Eigenvalue +Slope +Curvature$/m);
    expect(stdout).toMatch(/^eigenvector 1 +1\.0/m);
    expect(stdout).toMatch(/^minima inside the grid: \d+ \((\d+ on the edge; )?\d+ saddles?; SMAD \S+\)$/m);
  });

  test("says whether the loss falls from an initialization", async () => {
    const { stdout, code } = await runCli(command("--from", at("b.safetensors"), "--points", "5"));
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /From the initialization to the network, the loss (does not fall|falls) all the way/,
    );
  });

  test("goes to other networks, and resumes by its journal", async () => {
    const options = ["--directions", at("b.safetensors"), at("c.safetensors"), "--points", "3"];
    const journal = ["--journal", at("rows.json")];
    const first = await runJson<LandscapeResult>(command(...options, ...journal));
    expect(first.networks.map(({ label }) => label)).toEqual(["a", "b", "c"]);
    const { outputs: _, ...second } = {
      outputs: [],
      ...(await runJson<LandscapeResult>(command(...options, ...journal))),
    };
    expect(second).toEqual(first);
    const other = await runCli(command(...options, ...journal, "--range", "0:1"));
    expect(other.code).not.toBe(0);
    expect(other.stderr).toContain('"axis 1" is "-0.5 to 1.5" there and "0 to 1" here');
  });

  test("takes the snapshots that a training kept, in their order", async () => {
    const run = at("run");
    const trained = await runCli([
      ...[
        "train",
        "--graph",
        at("graph.onnx"),
        "--from",
        at("a.safetensors"),
        "--epochs",
        "11",
        "--batch",
        "10",
      ],
      ...["--data", `safetensors:${at("data.safetensors")}`, "--eval-data", "none"],
      ...["--snapshots", run, "-o", at("trained.safetensors")],
    ]);
    expect(trained.stderr).not.toMatch(/Cannot/);
    expect(trained.code).toBe(0);
    const result = await runJson<LandscapeResult>([
      ...["landscape", at("trained.safetensors"), "--directions", "trajectory", "--snapshots", run],
      ...["--points", "3", ...measured],
    ]);
    // 0 to 10; the eleventh is the network itself.
    const labels = result.networks.map(({ label }) => label);
    expect(labels).toEqual(["trained", ...Array.from({ length: 11 }, (_, k) => String(k))]);
    expect(result.basis[0]?.explained).toBeGreaterThan(0.5);
    expect(result.networks[1]?.loss).toBeGreaterThan(result.networks[0]?.loss ?? Number.NaN);
  });

  test.each([
    [["--directions", "trajectory"], /a trajectory must have snapshots/],
    [["--snapshots", "run"], /--snapshots are of a trajectory: add --directions trajectory/],
    [["--from", "b.pt", "--directions", "random"], /--from goes along one line/],
    [
      ["--directions", "random", "b.pt"],
      /must be one kind, or checkpoints: got random, b.pt; write \.\/random/,
    ],
    [["--range", "1:1"], /two numbers from:to such as -1:1/],
    [["--report", "page.txt"], /its name must end in \.html/],
    [["--dimensions", "1000", "--points", "2"], /must be a whole number from 1 to 10/],
  ])("refuses %j", async (options, message) => {
    const { code, stderr } = await runCli(command(...options));
    expect(code).not.toBe(0);
    expect(stderr).toMatch(message);
  });
});
