import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PlaneResult } from "@isthmus/barrier";
import type { CurveResult } from "@isthmus/connectivity";
import { openCheckpoint, saveCheckpoint } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { encodeGraph } from "@isthmus/graph";
import { train } from "@isthmus/training";
import { parseNetwork } from "@isthmus/zoo";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeStripes } from "../../../test/helpers/encode-stripes.ts";
import { killOnceThere, runAlone, runCli, runJson } from "../../../test/helpers/run-cli.ts";

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-cli-curve-"));
  writeFileSync(join(folder, "stripes.npz"), encodeStripes());
  const data = await openDataSet(`npz:${join(folder, "stripes.npz")}:train`);
  const { graph, initialize } = parseNetwork("mlp:8", data);
  writeFileSync(join(folder, "graph.onnx"), encodeGraph(graph));
  for (const [seed, name] of ["a", "b"].entries()) {
    const training = { graph, engine: createOnnxRuntimeEngine(), weights: initialize(seed), data };
    const { weights } = await train(training, training.weights, training.data, {
      seed,
      epochs: 6,
      batch: 16,
    });
    await saveCheckpoint(weights, join(folder, `${name}.safetensors`));
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

const ends = ["a.safetensors", "b.safetensors", "--graph", "graph.onnx"];
const data = ["--data", "npz:stripes.npz", "--test-data", "npz:stripes.npz:test", "--batch", "16"];
const short = [...data, "--epochs", "6", "--points", "5", "--lr", "0.1"];
const run = (...args: string[]) => runCli(args, { cwd: folder });
const read = (name: string) => readFileSync(join(folder, name));

describe("isthmus curve", () => {
  it("isthmus curve trains a bend around the barrier, and isthmus plane shows it", async () => {
    const args = ["curve", ...ends, ...short, "-o", "bend.safetensors", "--report", "curve.html"];
    const curve = await runJson<CurveResult & { outputs: string[] }>(args, { cwd: folder });
    expect(curve).toMatchObject({ kind: "curve", curve: "bezier", bends: 1, a: "a.safetensors", seed: 0 });
    expect(curve.outputs).toEqual(["bend.safetensors", "curve.html"]);
    expect(curve.epochs).toHaveLength(6);
    expect(curve.path.loss.max).toBeLessThan(curve.line.loss.max);
    expect(read("curve.html").toString()).toContain("From a.safetensors to b.safetensors");
    expect(readdirSync(folder)).not.toContain("bend.state.safetensors");
    const bend = await openCheckpoint(join(folder, "bend.safetensors"));
    expect(JSON.parse(bend.metadata["isthmus"] ?? "")).toMatchObject({ verb: "curve", bend: 1, bends: 1 });
    await bend.close();

    const place = ["a.safetensors", "bend.safetensors", "b.safetensors", "--graph", "graph.onnx"];
    const on = ["--data", "npz:stripes.npz:test", "--points", "5", "--curve", "bezier"];
    const plane = await run("plane", ...place, ...on, "--journal", "rows.json", "--report", "plane.html");
    expect(plane.stderr).toMatch(/^Bytes of npz:stripes\.npz:test are fed as byte \/ 255; for .*\n$/);
    expect(plane.stdout).toMatch(/ {2}A {3}a: 0\.\d+\n {2}B {3}bend: /);
    expect(plane.stdout).toMatch(/Network +x +y +From the plane +Loss +Error +File\n/);
    expect(read("plane.html").toString()).toContain("The plane through a, bend, b");
    const again = ["plane", ...place, ...on, "--journal", "rows.json", "--place", "bend.safetensors"];
    const result = await runJson<PlaneResult>(again, { cwd: folder });
    expect(result.models.map(({ label }) => label)).toEqual([...place.slice(0, 3), "bend.safetensors"]);
    expect(result.models[3]).toMatchObject({ loss: result.models[1]?.loss });
    expect(result.paths[0]?.label).toBe("bezier");
  });

  it("isthmus curve killed goes on to the same bytes", async () => {
    const args = ["curve", ...ends, ...data, "--points", "3", "--curve", "chain", "--bends", "2"];
    const long = [...args, "--epochs", "40", "--save-every", "3"];
    const whole = await runJson<CurveResult>([...long, "-o", "whole"], { cwd: folder });
    const state = join(folder, "chain", "curve.state.safetensors");
    await runAlone([...long, "-o", "chain"], {
      cwd: folder,
      onStart: killOnceThere(state),
    });
    expect(existsSync(state)).toBe(true);
    const resumed = await runJson<CurveResult>([...long, "-o", "chain", "--resume"], { cwd: folder });
    // Where the bends go is part of the command, and of nothing else.
    const apart = { outputs: [], provenance: undefined };
    expect({ ...resumed, ...apart }).toEqual({ ...whole, ...apart });
    for (const name of ["bend-1.safetensors", "bend-2.safetensors"]) {
      expect(read(join("chain", name)).equals(read(join("whole", name)))).toBe(true);
    }
    expect(existsSync(state)).toBe(false);
  });

  it("isthmus curve and isthmus plane say what is wrong in one line, and write nothing", async () => {
    const before = readdirSync(folder).sort();
    const curve = ["curve", ...ends, ...data];
    const place = ["plane", "a.safetensors", "a.safetensors", "b.safetensors", "--graph", "graph.onnx"];
    const cases: [string[], RegExp][] = [
      [[...curve, "-o", "x.safetensors", "--bends", "0"], /whole number from 1 to 500/],
      [[...curve, "-o", "x.safetensors", "--epochs", "0"], /whole number from 1 to 100000/],
      [
        [...curve, "-o", "x.safetensors", "--bends", "2"],
        /2 networks to "x.safetensors".*let -o name a folder/,
      ],
      [[...curve, "-o", "x.safetensors", "--curve", "spline"], /Allowed choices are bezier, chain/],
      [[...curve, "-o", "a.safetensors"], /"a.safetensors"/],
      [
        ["curve", ...ends, "--data", "npz:stripes.npz:test", "-o", "x.safetensors"],
        /name them with --test-data/,
      ],
      [[...place, "--data", "npz:stripes.npz:test"], /must not lie on a line/],
      [[...place, "--data", "npz:stripes.npz:test", "--report", "x.txt"], /must end in .html/],
    ];
    for (const [args, message] of cases) {
      const { code, stdout, stderr } = await run(...args);
      expect(stderr).toMatch(message);
      const problems = stderr
        .trim()
        .split("\n")
        .filter((line) => !line.startsWith("Bytes of"));
      expect([code, stdout, problems.length]).toEqual([2, "", 1]);
    }
    expect(readdirSync(folder).sort()).toEqual(before);
  });
});
