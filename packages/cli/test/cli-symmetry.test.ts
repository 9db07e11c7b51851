import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodeGraph } from "@isthmus/graph";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runCli, runJson } from "../../../test/helpers/run-cli.ts";
import { bareAttention, branchingMlp } from "../../../test/helpers/small-networks.ts";

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../../test/fixtures/${name}`, import.meta.url));
const GRAPH = fixture("folded-cnn/graph.onnx");
const NETWORK = fixture("folded-cnn/network.safetensors");

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-symmetry-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

interface SymmetryResult {
  readonly symmetries: readonly { readonly name: string; readonly kind: string }[];
  readonly linear: readonly object[] | null;
  readonly binding: { readonly byName: number; readonly renamed: Readonly<Record<string, unknown>> } | null;
  readonly verified: { readonly passed: boolean; readonly failedSymmetries: readonly string[] } | null;
}

describe("isthmus symmetry", () => {
  test("isthmus symmetry --checkpoint binds weights by value and proves it on them", async () => {
    const file = join(folder, "spec.json");
    const result = await runJson<SymmetryResult>(["symmetry", GRAPH, "--checkpoint", NETWORK, "-o", file]);
    expect(result.symmetries.map(({ name, kind }) => [name, kind])).toEqual([
      ["fc1", "plain"],
      ["conv1.groups", "plain"],
      ["conv1", "nested"],
      ["conv2", "nested"],
    ]);
    expect(result.binding).toMatchObject({ byName: 4 });
    expect(Object.keys(result.binding?.renamed ?? {})).toHaveLength(6);
    expect(result.verified).toMatchObject({ passed: true });
    expect(result.linear).toContainEqual({
      kind: "sign",
      size: 10,
      cells: 1,
      axes: [
        { tensor: "norm.weight", axis: 0 },
        { tensor: "norm.bias", axis: 0 },
        { tensor: "fc2.weight", axis: 1 },
      ],
    });
    expect(Object.keys(JSON.parse(readFileSync(file, "utf8")).weights)).toContain("bn1.running_var");
  });

  test("isthmus symmetry shows kinds, the share that moves and what the names stand for", async () => {
    const { stdout } = await runCli(["symmetry", GRAPH, "--checkpoint", NETWORK]);
    expect(stdout).toMatch(/^conv1 +2 x 3 +nested +conv1\.groups +6 +conv1\.weight:0 /m);
    expect(stdout).toMatch(/^the file itself +computes the same, to \d\.\de-\d+ \(relative\)$/m);
    expect(stdout).toMatch(/^axes that move +18 of 21: 92\.7 % of their indices$/m);
    expect(stdout).toMatch(/^onnx::MatMul_\d+ +the transpose of fc1\.weight$/m);
    expect(stdout).toMatch(/^scale +6 +3 +bn1\.weight:0 /m);
    expect(stdout).toMatch(/^scale, sign +10 +3 +norm\.weight:0 norm\.bias:0 /m);
    expect(stdout).toMatch(/^Verified: /m);
    expect(stdout).toMatch(/^Beyond permutation, .*: scales \d\.\de-\d+, signs /m);
    for (const line of stdout.split("\n")) {
      if (!/^(Verified|Beyond)/.test(line)) expect(line.length, line).toBeLessThanOrEqual(80);
    }
  });

  test("isthmus symmetry --spec names the symmetry of a list of one's own that does not hold", async () => {
    const units = (name: string, axis: number) => ({ axes: [axis], units: name });
    const own = {
      format: "isthmus-symmetries",
      version: 1,
      symmetries: [
        { name: "right", size: 512 },
        { name: "wrong", size: 512 },
      ],
      weights: {
        "layers.0.weight": { shape: [512, 784], fields: [units("right", 0)] },
        "layers.0.bias": { shape: [512], fields: [units("right", 0)] },
        "layers.1.weight": { shape: [512, 512], fields: [units("wrong", 0), units("right", 1)] },
        "layers.1.bias": { shape: [512], fields: [units("wrong", 0)] },
      },
    };
    const file = join(folder, "own.json");
    writeFileSync(file, JSON.stringify(own));
    const args = ["symmetry", fixture("mnist-mlp/graph.onnx"), "--verify", "--spec", file];
    const { code, stderr, stdout } = await runCli(args);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^NOT verified: /m);
    expect(stderr).toMatch(/the symmetry "wrong" does not hold: .* differs by /);
    const { verified } = JSON.parse((await runCli([...args, "--json"])).stdout) as SymmetryResult;
    expect(verified).toMatchObject({ passed: false, failedSymmetries: ["wrong"] });
  });

  test("isthmus symmetry --spec says what does not fit the graph, without running it", async () => {
    const spec = (shape: readonly number[]) => ({
      format: "isthmus-symmetries",
      version: 1,
      symmetries: [{ name: "hidden", size: 512 }],
      weights: {
        "layers.0.weight": { shape, fields: [{ axes: [0], units: "hidden" }] },
        "layers.0.biass": { shape: [512], fields: [{ axes: [0], units: "hidden" }] },
      },
    });
    const own = join(folder, "own.json");
    const args = ["symmetry", fixture("mnist-mlp/graph.onnx"), "--spec", own];
    writeFileSync(own, JSON.stringify(spec([512, 784])));
    const typo = await runCli(args);
    expect(typo.code).toBe(2);
    expect(typo.stderr).toMatch(
      /^isthmus symmetry: Cannot permute "graph\.onnx" as .*: 1 of 2 are not there, "layers\.0\.biass"$/m,
    );
    writeFileSync(own, JSON.stringify(spec([256, 784])));
    const { code, stderr } = await runCli(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /Cannot read symmetries of ".*own\.json" as "weights\.layers\.0\.weight\.fields\[0\]\.units" must be a unit for each of 256 positions/,
    );
  });

  test("isthmus symmetry --verify names the symmetry that takes heads and what is in them for one axis", async () => {
    const [graph, own] = [join(folder, "attention.onnx"), join(folder, "own.json")];
    writeFileSync(graph, encodeGraph(bareAttention()));
    // The fused projection: 6 columns of q, 6 of k that go with them, 6 of v that stay; really they are 2 heads of 3.
    const units = [
      [0, 6],
      [0, 6],
      [-1, 6, 0],
    ];
    const ranks = [
      [0, 6, 0],
      [1, 6, 0],
      [0, 6, 0],
    ];
    const flat = {
      format: "isthmus-symmetries",
      version: 1,
      symmetries: [{ name: "q and k", size: 6 }],
      weights: {
        "qkv.weight": { shape: [5, 18], fields: [{ axes: [1], units, ranks }] },
        "qkv.bias": { shape: [18], fields: [{ axes: [0], units, ranks }] },
      },
    };
    writeFileSync(own, JSON.stringify(flat));
    const { code, stderr } = await runCli(["symmetry", graph, "--verify", "--spec", own]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/the symmetry "q and k" does not hold: .* differs by /);
  });

  test("isthmus symmetry freezes what control flow touches, names it, and proves the rest", async () => {
    const graph = join(folder, "branches.onnx");
    writeFileSync(graph, encodeGraph(branchingMlp()));
    const { code, stdout } = await runCli(["symmetry", graph, "--verify"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^symmetries +2$/m);
    expect(stdout).toMatch(/^mid\.weight:1 +8 +If\.\d+ +no rule covers If as it is used there$/m);
    expect(stdout).toMatch(/^operators without a rule +If \(If\.\d+\)$/m);
    expect(stdout).toMatch(/^Verified: /m);
  });

  test("isthmus symmetry says that the engine must have every operator, and which it does not", async () => {
    const { nodes, opsets, ...rest } = branchingMlp();
    const own = nodes.map((node) =>
      node.op === "Relu" ? { ...node, op: "Gate", domain: "own.operators" } : node,
    );
    const graph = join(folder, "own.onnx");
    writeFileSync(
      graph,
      encodeGraph({ ...rest, nodes: own, opsets: new Map([...opsets, ["own.operators", 1]]) }),
    );
    const { code, stderr } = await runCli(["symmetry", graph]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /Cannot find the shapes in graph "branching" as the engine must be able to run it: .*own\.operators.*Gate/,
    );
  });

  test.each([
    [
      "nope.onnx",
      /^isthmus symmetry: Cannot open "nope\.onnx" as it must exist: there is no such file or folder$/m,
    ],
    [".", /^isthmus symmetry: Cannot /m],
  ])("isthmus symmetry says what is wrong with %s", async (path, message) => {
    const { code, stderr } = await runCli(["symmetry", path], { cwd: folder });
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/ENOENT|EISDIR/);
  });

  test("isthmus symmetry lists what of the graph is not in a checkpoint", async () => {
    const other = fileURLToPath(new URL("../../../examples/mnist-mlp/s0.safetensors", import.meta.url));
    const { code, stderr } = await runCli(["symmetry", GRAPH, "--checkpoint", other]);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /10 of 10 weights are not found, "fc1\.bias" \(no tensor has its values\), .*--exported-from/,
    );
  });
});
