import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { saveCheckpoint } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { encodeGraph } from "@isthmus/graph";
import type { FindStarResult, StarResult } from "@isthmus/star-domain";
import { train } from "@isthmus/training";
import { parseNetwork } from "@isthmus/zoo";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { encodeStripes } from "../../../test/helpers/encode-stripes.ts";
import { killOnceThere, runAlone, runCli, runJson } from "../../../test/helpers/run-cli.ts";
import { stripes } from "../../../test/helpers/stripes.ts";

let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-cli-star-"));
  writeFileSync(join(folder, "stripes.npz"), encodeStripes());
  const data = stripes(100);
  const { graph, initialize } = parseNetwork("mlp:6", data);
  writeFileSync(join(folder, "model.onnx"), encodeGraph(graph));
  const other = parseNetwork("mlp:7", data);
  await saveCheckpoint(other.initialize(0), join(folder, "other.safetensors"));
  const engine = createOnnxRuntimeEngine();
  for (let seed = 0; seed < 4; seed++) {
    const { weights } = await train({ graph, engine }, initialize(seed), data, {
      seed,
      epochs: 6,
      batch: 10,
      threads: 1,
    });
    await saveCheckpoint(weights, join(folder, seed < 3 ? `net-${seed}.safetensors` : "held.safetensors"));
  }
  for (const name of readdirSync(folder)) given.add(name);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

/** Files that tests start with. */
const given = new Set<string>();
beforeEach(() => {
  for (const name of readdirSync(folder))
    if (!given.has(name)) rmSync(join(folder, name), { recursive: true });
});

const run = (...args: string[]) => runCli(["star", ...args], { cwd: folder });
const read = (name: string) => readFileSync(join(folder, name));
const written = () => readdirSync(folder).filter((name) => !given.has(name));

const anchors = ["net-0.safetensors", "net-1.safetensors", "net-2.safetensors"];
const data = ["--data", "npz:stripes.npz", "--batch", "20", "--threads", "1", "--lr", "0.1"];
const graph = ["--graph", "model.onnx", ...data];

type Result = StarResult & { readonly search: FindStarResult; readonly outputs: readonly string[] };

describe("isthmus star", () => {
  it("isthmus star finds a star of files that fit a pattern, verifies it and judges its predictions", async () => {
    const report = join(folder, "star.html");
    const result = await runJson<Result>(
      [
        ...["star", "net-*.safetensors", "--net", "mlp:6", ...data, "--epochs", "12", "--seed", "2"],
        ...["--held-out", "held.safetensors", "--test-data", "npz:stripes.npz:test", "--points", "5"],
        ...["--ood-data", "npz:stripes.npz:test@10", "--pairs", "2", "-o", "star.safetensors"],
        ...["--report", "star.html"],
      ],
      { cwd: folder },
    );
    expect(result).toMatchObject({
      kind: "star",
      anchors,
      heldOut: ["held.safetensors"],
      points: 5,
      aligned: true,
      seed: 2,
      outputs: ["star.safetensors", "star.html"],
      search: { seed: 2, rays: "uniform", alignEvery: 1, steps: 120 },
    });
    expect(result.barriers.regularRegular.pairs).toHaveLength(2);
    expect(result.barriers.starAnchor.pairs.map(({ a, b }) => [a, b])).toEqual(
      anchors.map((anchor) => ["star.safetensors", anchor]),
    );
    expect(result.predictions?.predictors.map(({ members }) => members)).toEqual([1, 3, 3, 1]);
    expect(result.predictions?.outOfDistribution).toEqual({ data: "npz:stripes.npz:test@10", examples: 10 });
    for (const { accuracy } of result.predictions?.predictors ?? []) expect(accuracy).toBeGreaterThan(0.5);
    expect(readFileSync(report, "utf8")).toContain("rays of the star");
    expect(written().sort()).toEqual(["star.html", "star.safetensors"]);
  });

  it("isthmus star shows tables, and says nothing of predictions where there are no test data", async () => {
    const { code, stdout } = await run(
      ...[...anchors, "--graph", "model.onnx", "--data", "npz:stripes.npz:test", ...data.slice(2)],
      ...["--epochs", "1", "--points", "3", "--no-align", "-o", "star.safetensors"],
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^loss barrier +pairs +mean +deviation +highest +to regular\nregular to regular +3 /,
    );
    expect(stdout).toMatch(/pairs +as trained/);
    expect(stdout).not.toMatch(/held out|NLL/);
  });

  it("isthmus star killed goes on to the same bytes, and measures again only where all steps are made", async () => {
    const args = [
      ...anchors,
      ...graph,
      "--epochs",
      "30",
      "--save-every",
      "7",
      "--points",
      "3",
      "--align-every",
      "3",
      "--starts",
      "2",
    ];
    const whole = await runJson<Result>(["star", ...args, "-o", "whole.safetensors"], { cwd: folder });
    const state = join(folder, "star.state.safetensors");
    const kept = join(folder, "kept.safetensors");
    const stopped = await runAlone(["star", ...args, "-o", "star.safetensors", "--resume"], {
      cwd: folder,
      onStart: killOnceThere(state),
    });
    expect(stopped).toMatchObject({ code: null, stdout: "" });
    copyFileSync(state, kept);
    const refused = await run(...args, "-o", "star.safetensors");
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/must not replace an earlier one: the file exists; resume from it/);
    const other = await run(...args, "--rays", "beta", "-o", "star.safetensors", "--resume");
    expect(other.stderr).toMatch(/"blend\.description\.rays" is "uniform" there and "beta" here/);
    expect(read("star.state.safetensors").equals(read("kept.safetensors"))).toBe(true);
    const resumed = await runJson<Result>(["star", ...args, "-o", "star.safetensors", "--resume"], {
      cwd: folder,
    });
    expect(resumed.search.resumedAt).toBeGreaterThan(0);
    expect(resumed.search.tried).toEqual(whole.search.tried);
    expect(whole.search.tried).toHaveLength(2);
    expect(read("star.safetensors").equals(read("whole.safetensors"))).toBe(true);
    expect(resumed.barriers.starAnchor.mean).toBe(whole.barriers.starAnchor.mean);
    expect(existsSync(state)).toBe(false);
  });

  it.each([
    [["net-0.safetensors", ...graph], /at least two anchors: got "net-0\.safetensors"/],
    [["net-?.pt", ...graph], /Cannot open "net-\?\.pt" as it must match at least one file/],
    [[...anchors, ...data], /needs the architecture: give --graph model\.onnx, or model folders/],
    [[...anchors, "other.safetensors", ...graph], /"other\.safetensors" to graph .*shapes must be equal/],
    [[...anchors, ...graph, "--held-out", anchors[1] ?? ""], /Cannot hold out "net-1\.safetensors"/],
    [
      [...anchors, ...graph, "--data", "npz:stripes.npz:test", "--ood-data", "npz:stripes.npz"],
      /there must be data of the networks, too: add --test-data/,
    ],
    [
      [...anchors, "--graph", "model.onnx", "--data", "mnist:train@200"],
      /its examples must fit the graph's input/,
    ],
    [[...anchors, ...graph, "--starts", "2", "--no-align"], /"starts" must be at most 1, as without align/],
    [[...anchors, ...graph, "--report", "star.txt"], /its name must end in \.html/],
  ])("isthmus star %j is refused, and nothing is written", async (args, message) => {
    const { code, stdout, stderr } = await run(...args, "-o", "star.safetensors");
    expect(stderr).toMatch(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(written()).toEqual([]);
  });
});
