import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCheckpoint, saveCheckpoint } from "@isthmus/core";
import { encodeGraph } from "@isthmus/graph";
import { type PruneResult, pruneNetwork, type QuantizeResult, quantizeNetwork } from "@isthmus/sparsity";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { randomNetwork } from "../../../test/helpers/random-network.ts";
import { runCli, runJson } from "../../../test/helpers/run-cli.ts";
import { saveExamples } from "../../../test/helpers/save-examples.ts";
import { smallMlp } from "../../../test/helpers/small-networks.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const graph = smallMlp();
const prune = (...rest: readonly string[]) => [
  ...["prune", at("a.safetensors"), "--graph", at("graph.onnx"), ...rest],
];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-prune-"));
  writeFileSync(at("graph.onnx"), encodeGraph(graph));
  await saveCheckpoint(randomNetwork(graph, 1), at("a.safetensors"));
  await saveExamples(randomExamples([6], { size: 50, classes: 4 }), at("data.safetensors"));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function read(file: string, name: string): Promise<readonly number[]> {
  const checkpoint = await openCheckpoint(at(file));
  const { data } = await checkpoint.read(name);
  await checkpoint.close();
  return [...(data as Float32Array)];
}

describe("isthmus prune", () => {
  test("writes the network that pruneNetwork() returns", async () => {
    const out = at("pruned.safetensors");
    const printed = await runJson<PruneResult>(prune("--sparsity", "0.6", "--by", "layer", "-o", out));
    const { weights, result } = await pruneNetwork({ graph }, randomNetwork(graph, 1), {
      ...{ sparsity: 0.6, by: "layer" },
    });
    expect(printed.layers).toEqual(result.layers);
    expect(printed.measures).toBeUndefined();
    for (const name of graph.weights.keys()) {
      expect(await read("pruned.safetensors", name)).toEqual([
        ...((await weights.read(name)).data as Float32Array),
      ]);
    }
  });

  test("measures, trains on with units at zero, writes result and page", async () => {
    const [out, json, page] = [at("units.safetensors"), at("units.json"), at("units.html")];
    const data = ["--data", `safetensors:${at("data.safetensors")}`, "--batch", "10", "--epochs", "2"];
    const to = ["-o", out, "--save-result", json, "--report", page];
    const arguments_ = prune("--sparsity", "0.5", "--by", "units", ...data, ...to);
    const { stdout } = await runCli(arguments_);
    expect(stdout).toMatch(/Units taken out\nLayer +Units +Taken out\nl0 +16 +8\n/);
    const result: PruneResult = JSON.parse(readFileSync(json, "utf8"));
    expect(result).toMatchObject({ kind: "prune", by: "units", tuning: { epochs: 2 } });
    expect(result.measures?.tuned?.loss).toBeLessThan(result.measures?.after.loss ?? 0);
    const zeros = (await read("units.safetensors", "l1.weight")).filter((value) => value === 0);
    expect(zeros).toHaveLength(192 - 6 * 8);
    expect(readFileSync(page, "utf8")).toContain("Share of each weight that is pruned");
    expect(existsSync(at("units.state.safetensors"))).toBe(false);
    const again = await runCli(["report", json]);
    expect(again.stdout).toContain("l1.weight");
  });

  test("finds a lottery ticket by gradients and by evolution, with every round in result and page", async () => {
    const data = ["--data", `safetensors:${at("data.safetensors")}`, "--batch", "10", "--sparsity", "0.75"];
    const gradient = ["--rewind", "1", "--rounds", "2", "--epochs", "2"];
    const evolution = [
      "--rewind",
      "0",
      "--method",
      "evolution",
      "--rounds",
      "2",
      "--generations",
      "3",
      "--population",
      "4",
    ];
    for (const [name, options] of Object.entries({ gradient, evolution })) {
      const to = [
        "-o",
        at(`${name}.safetensors`),
        "--save-result",
        at("ticket.json"),
        "--report",
        at("ticket.html"),
      ];
      const { stdout } = await runCli(prune(...data, ...options, ...to));
      expect(stdout).toMatch(/Rounds\nRound +Pruned +Loss +Error +Barrier\n +0 +0\.00 %/);
      const { rewinding, sparsity }: PruneResult = JSON.parse(readFileSync(at("ticket.json"), "utf8"));
      expect(sparsity).toBeCloseTo(0.75, 1);
      expect(rewinding).toMatchObject({ method: name, rewind: name === "gradient" ? 1 : 0 });
      expect(rewinding?.rounds).toHaveLength(3);
      expect(readFileSync(at("ticket.html"), "utf8")).toContain("Barrier to the round before");
      expect(existsSync(at(`${name}.rounds`))).toBe(false);
    }
  });

  test("lets pruned weights fade, and has none at the end", async () => {
    const data = ["--data", `safetensors:${at("data.safetensors")}`, "--batch", "10", "--epochs", "2"];
    await runCli(
      prune("--sparsity", "0.5", "--by", "layer", "--anneal", "0.5", ...data, "-o", at("faded.safetensors")),
    );
    expect((await read("faded.safetensors", "l1.weight")).filter((value) => value === 0)).toHaveLength(96);
  });

  test.each([
    [["--sparsity", "1"], "must be a number of at least 0 and below 1: it is 1"],
    [["--sparsity", "0.5", "--epochs", "1"], "name them with --train-data"],
    [["--sparsity", "0.5", "--rewind", "0"], "go back by --rewind as there must be examples"],
    [["--sparsity", "0.5", "--anneal", "0.5"], "say how long with --epochs"],
    [["--sparsity", "0.5", "--rounds", "3"], "--rounds as it belongs to lottery tickets: add --rewind"],
    [
      ["--sparsity", "0.5", "--rewind", "2", "--epochs", "2", "--data", "mnist:test"],
      "--epochs must be more than --rewind: it is 2",
    ],
    [
      ["--sparsity", "0.5", "--rewind", "1", "--method", "evolution", "--data", "mnist:test"],
      "use --rewind 0, --by global or layer, and no --epochs",
    ],
    [["--sparsity", "0.5", "--layers", "l9*"], '"l9*" matches none of l0.weight'],
  ])("says what is wrong: %j", async (options, message) => {
    const { stderr, code } = await runCli(prune(...options, "-o", at("wrong.safetensors")));
    expect(code).not.toBe(0);
    expect(stderr).toContain(message);
    expect(existsSync(at("wrong.safetensors"))).toBe(false);
  });
});

describe("isthmus quantize", () => {
  test("writes the network that quantizeNetwork() returns", async () => {
    const out = at("q4.safetensors");
    const printed = await runJson<QuantizeResult>([
      "quantize",
      at("a.safetensors"),
      "--bits",
      "4",
      "-o",
      out,
    ]);
    const { weights, result } = await quantizeNetwork(randomNetwork(graph, 1), { bits: 4 });
    expect(printed).toMatchObject({ kind: "quantize", bits: 4, layers: result.layers });
    expect(await read("q4.safetensors", "l0.weight")).toEqual([
      ...((await weights.read("l0.weight")).data as Float32Array),
    ]);
    expect(await read("q4.safetensors", "l0.bias")).toEqual(await read("a.safetensors", "l0.bias"));
    const text = await runCli([
      "quantize",
      at("a.safetensors"),
      "--scheme",
      "tensor",
      "-o",
      at("q8.safetensors"),
      "--report",
      at("q8.html"),
    ]);
    expect(text.stdout).toContain("8 bits, one scale for each weight");
    const page = readFileSync(at("q8.html"), "utf8");
    expect(page).toContain("<h1>Quantised network of a.safetensors</h1>");
    expect(page).toContain("<dt>Scheme</dt><dd>tensor</dd>");
  });
});
