import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LayersResult } from "@isthmus/barrier";
import { openCheckpoint } from "@isthmus/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NARROW_MLP } from "../../../test/helpers/narrow-mlp.ts";
import { killOnceThere, runAlone, runCli, runJson } from "../../../test/helpers/run-cli.ts";

const [a, b, graph] = ["s0.safetensors", "s1.safetensors", "graph.onnx"].map((name) =>
  join(NARROW_MLP, name),
) as [string, string, string];
const measured = ["layers", a, b, "--graph", graph, "--data", "mnist:test@100", "--points", "3"];

/** Reads a result without the command that made it. */
function withoutMaker(path: string): object {
  const { provenance: _, ...result } = JSON.parse(readFileSync(path, "utf8"));
  return result;
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-layers-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("isthmus layers", () => {
  it("isthmus layers measures what it is told, and merge goes by what it found", async () => {
    const [output, page] = [join(folder, "layers.json"), join(folder, "layers.html")];
    const groups = ["--groups", "start=layers.0+layers.1", "--order", "random", "--robustness", "1"];
    const result = await runJson<LayersResult & { readonly binding: object }>([
      ...[...measured, ...groups, "--predict", "20"],
      ...["-o", output, "--report", page],
    ]);
    expect(result.groups.map(({ name }) => name)).toEqual(["start", "layers.2", "layers.3"]);
    expect(result.cumulative.map(({ order }) => order)).toEqual(["random"]);
    expect(result.predictions).toMatchObject({ examples: 20 });
    expect(result.robustness?.map(({ random }) => random.length)).toEqual([1, 1, 1]);
    const { binding: _, ...saved } = result;
    expect(JSON.parse(readFileSync(output, "utf8"))).toEqual(saved);
    expect(readFileSync(page, "utf8")).toContain("From s0.safetensors to s1.safetensors");
    expect(readdirSync(folder).sort()).toEqual(["layers.html", "layers.json"]);

    const merged = join(folder, "merged.safetensors");
    const heights = result.layers.map((layer) => layer.a.wholeEndpoints.loss);
    expect(heights[0]).toBeGreaterThan(Math.max(...heights.slice(1)));
    const limit = String(Math.max(...heights.slice(1)));
    const chosen = await runCli([
      "merge",
      a,
      b,
      "--layers-from",
      output,
      "--max-barrier",
      limit,
      "-o",
      merged,
    ]);
    expect(chosen.stdout).toMatch(/2 checkpoints, of the second half of layers\.2, layers\.3$/m);
    const [first, second, both] = await Promise.all([a, b, merged].map((path) => openCheckpoint(path)));
    const read = async (network: typeof first, name: string) => (await network?.read(name))?.data;
    expect(await read(both, "layers.1.weight")).toEqual(await read(first, "layers.1.weight"));
    expect(await read(both, "layers.3.bias")).not.toEqual(await read(first, "layers.3.bias"));

    const own = await runCli(["merge", a, b, "--layers", "layers.0=1,*.bias=.5", "-o", merged]);
    expect(own.stdout).toMatch(/2 checkpoints, of the second 1 of layers\.0, 0\.5 of \*\.bias/);
    const taken = await openCheckpoint(merged);
    expect(await read(taken, "layers.0.bias")).toEqual(await read(second, "layers.0.bias"));
    expect(await read(taken, "layers.1.weight")).toEqual(await read(first, "layers.1.weight"));
    expect(JSON.parse(taken.metadata["isthmus"] ?? "")).toMatchObject({
      layers: { "layers.0": 1, "*.bias": 0.5 },
    });
    await Promise.all([first, second, both, taken].map((network) => network?.close()));
  });

  it("isthmus layers killed goes on from its journal to the same bytes", async () => {
    const [whole, output, journal] = ["whole.json", "out.json", "found.json"].map((name) =>
      join(folder, name),
    ) as [string, string, string];
    const args = [...measured, "--predict", "20", "--quiet"];
    await runCli([...args, "-o", whole]);
    const kept = [...args, "-o", output, "--journal", journal];
    const killed = await runAlone(kept, { onStart: killOnceThere(journal) });
    expect([killed.stdout, existsSync(output), existsSync(journal)]).toEqual(["", false, true]);
    const other = await runCli([...kept, "--seed", "1"]);
    expect(other.stderr).toMatch(/"seed" is 0 there and 1 here; it was left as it is/);
    expect((await runCli(kept)).code).toBe(0);
    expect(withoutMaker(output)).toEqual(withoutMaker(whole));
  });

  it("isthmus layers --resume goes on from the journal beside -o, as it did once", async () => {
    const [whole, output, state] = ["whole.json", "out.json", "out.state.json"].map((name) =>
      join(folder, name),
    ) as [string, string, string];
    await runCli([...measured, "--quiet", "-o", whole]);
    const resumed = [...measured, "--quiet", "-o", output, "--resume"];
    await runAlone(resumed, { onStart: killOnceThere(state) });
    expect([existsSync(output), existsSync(state)]).toEqual([false, true]);
    expect((await runCli(resumed)).code).toBe(0);
    expect(withoutMaker(output)).toEqual(withoutMaker(whole));
    expect(existsSync(state)).toBe(false);
  });

  it("isthmus layers shows bars, a chart and tables", async () => {
    const args = [...measured, "--predict", "20", "--robustness", "2", "--quiet"];
    const { stdout, code } = await runCli(args, { env: { LC_ALL: "C" } });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^[\x20-\x7e\n]*$/);
    expect(stdout).toMatch(/^layers\.0 +[-\d.]+ +[-\d.]+ +#+$/m);
    expect(stdout).toMatch(/^all at once +#{16}$/m);
    expect(stdout).toMatch(/^ +\S+ shallow-to-deep$/m);
    expect(stdout).toMatch(/^Group +Loss barrier +Error barrier$/m);
    expect(stdout).toMatch(/^layers\.0 +[\d.]+ +[\d.]+ points$/m);
    expect(stdout).toMatch(/^layers\.0 +100,480 +[\d.]+ +[-\d.]+$/m);
    expect(stdout).toMatch(/^Rank correlation of predicted and measured barriers of layers: [-\d.]+$/m);
    expect(stdout).toMatch(/^Predicted and measured barriers$/m);
    expect(stdout).toMatch(/^Random directions and the way to B$/m);
  });

  it("isthmus layers --predict without a number takes all examples if there are fewer than 1000", async () => {
    const result = await runJson<LayersResult>([...measured, "--predict", "--order", "random,middle-first"]);
    expect(result.predictions?.examples).toBe(100);
    expect(result.cumulative.map(({ order }) => order)).toEqual(["random", "middle-first"]);
  });

  it("isthmus layers and layer-wise merges refuse wrong usage with 2", async () => {
    const result = join(folder, "layers.json");
    const merged = join(folder, "m.safetensors");
    writeFileSync(result, '{"kind": "barrier"}');
    const [swapped, aligned] = [join(folder, "swapped.json"), join(folder, "aligned.json")];
    const found = { kind: "layers", groups: [], layers: [], a, b: `${b} (permuted)` };
    writeFileSync(swapped, JSON.stringify({ ...found, a: b, b: a }));
    writeFileSync(aligned, JSON.stringify(found));
    const merge = ["merge", a, b, "-o", merged];
    const cases: [string[], RegExp][] = [
      [[...measured, "--groups", "conv*"], /"conv\*" fits none of layers\.0, layers\.1/],
      [[...measured, "--groups", "x=y=z"], /must be groups of layers such as/],
      [[...measured, "--predict", "5", "--statistics", "recalibrate"], /"statistics" must be keep where/],
      [[...measured, "-o", merged], /must name a file ending in \.json/],
      [[...merge, "--layers", "layers.0"], /must be layers with a number each/],
      [[...merge, "--layers", "layers.0=1", "--weights", "1,2"], /leave out --weights/],
      [[...merge, "--layers-from", result], /must be a result of isthmus layers/],
      [[...merge, "--max-barrier", "1"], /belong together: got only --max-barrier/],
      [[...merge, "--layers-from", result, "--max-barrier", "1"], /must be a result of isthmus layers/],
      [
        [...merge, "--layers-from", swapped, "--max-barrier", "1"],
        /measured from .*: name them in that order/,
      ],
      [[...merge, "--layers-from", aligned, "--max-barrier", "1"], /with ".*" aligned: add --align/],
    ];
    for (const [args, message] of cases) {
      const { code, stdout, stderr } = await runCli(args);
      expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: "" });
      expect(stderr).toMatch(message);
    }
    expect(readdirSync(folder).sort()).toEqual(["aligned.json", "layers.json", "swapped.json"]);
  });
});
