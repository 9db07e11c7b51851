import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCli, runJson } from "./helpers/run-cli.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const mlp = join(root, "examples", "mnist-mlp");
const [a, , graph] = ["s0.safetensors", "s1.safetensors", "graph.onnx"].map((name) => join(mlp, name)) as [
  string,
  string,
  string,
];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-cli-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("isthmus", () => {
  it("isthmus --help lists every verb, and each verb has help with examples", async () => {
    const { code, stdout } = await runCli(["--help"]);
    expect(code).toBe(0);
    const verbs = readdirSync(join(root, "packages", "cli", "src", "commands"))
      .filter((name) => !name.endsWith(".test.ts"))
      .map((name) => name.replace(".ts", ""));
    for (const verb of verbs) {
      expect(stdout).toMatch(new RegExp(`^  ${verb} `, "m"));
      const help = await runCli([verb, "--help"]);
      expect(help).toMatchObject({ code: 0, stderr: "" });
      expect(help.stdout).toMatch(/^Usage: isthmus /);
      expect(help.stdout).toContain("--json");
      expect(help.stdout).toContain("Examples:");
    }
  });

  it("isthmus calls wrong usage by its name, suggests what was meant, and ends with 2", async () => {
    const cases: [string[], RegExp][] = [
      [[], /^Usage: isthmus/],
      [["inspekt", "x"], /Unknown command 'inspekt' \(Did you mean inspect\?\)/],
      [["inspect", "--jsn", "x"], /^isthmus inspect: Unknown option '--jsn' \(Did you mean --json\?\)/],
      [["inspect"], /^isthmus inspect: Missing required argument 'file'/],
      [["inspect", "x", "y"], /^isthmus inspect: Too many arguments/],
    ];
    for (const [args, message] of cases) {
      const { code, stdout, stderr } = await runCli(args);
      expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: "" });
      expect(stderr).toMatch(message);
    }
  });

  it("isthmus --version is that of the package", async () => {
    const { version } = JSON.parse(readFileSync(join(root, "packages", "cli", "package.json"), "utf8"));
    expect(await runCli(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });

  it("isthmus survives a reader that closes the pipe", () => {
    const bin = join(root, "packages", "cli", "bin", "isthmus.js");
    const script = `for i in 1 2 3; do node "${bin}" inspect "${a}" --json | head -c 1; done`;
    expect(execFileSync("bash", ["-o", "pipefail", "-c", script], { encoding: "utf8" })).toBe("{{{");
  });

  it("isthmus says what is wrong with an input in one line and ends with 2", async () => {
    const cut = join(folder, "cut.safetensors");
    writeFileSync(cut, readFileSync(a).subarray(0, 100_000));
    const cases: [string[], RegExp][] = [
      [["inspect", "missing.safetensors"], /^isthmus inspect: Cannot open "missing\.safetensors"/],
      [["inspect", "missing.onnx"], /^isthmus inspect: Cannot read graph "missing\.onnx"/],
      [["inspect", cut], /^isthmus inspect: Cannot read .*cut\.safetensors/],
    ];
    for (const [args, message] of cases) {
      const { code, stdout, stderr } = await runCli(args, { cwd: folder });
      expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: "" });
      expect(stderr).toMatch(message);
      expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    }
  });

  it("isthmus shows where a failure comes from only if ISTHMUS_DEBUG is set", async () => {
    const { stderr } = await runCli(["inspect", "missing.onnx"], { env: { ISTHMUS_DEBUG: "1" } });
    expect(stderr).toMatch(/\n {4}at /);
  });
});

describe("isthmus inspect", () => {
  it("isthmus inspect shows the tensors of a checkpoint", async () => {
    const { stdout } = await runCli(["inspect", a]);
    expect(stdout).toMatch(/^layers\.0\.weight +f16 +\[512, 784\] +803 kB$/m);
    expect(stdout).toContain("8 tensors, 932,362 parameters, 1.86 MB");
    const result = await runJson<{ tensors: unknown[]; totals: unknown; metadata: unknown }>(["inspect", a]);
    expect(result.tensors[1]).toEqual({
      name: "layers.0.weight",
      dtype: "f16",
      shape: [512, 784],
      bytes: 802_816,
    });
    expect(result.totals).toEqual({ tensors: 8, parameters: 932_362, bytes: 1_864_724 });
    expect(result.metadata).toMatchObject({ data: "MNIST", seed: "0" });
  });

  it("isthmus inspect shows the weights and operators of a graph", async () => {
    const result = await runJson<{ operators: unknown; weights: unknown[] }>(["inspect", graph]);
    expect(result.operators).toEqual([
      { op: "Gemm", count: 4 },
      { op: "Relu", count: 3 },
      { op: "Flatten", count: 1 },
    ]);
    expect(result.weights).toHaveLength(8);
    expect((await runCli(["inspect", graph])).stdout).toContain("inputs   x f32 [N, 1, 28, 28]");
  });
});
