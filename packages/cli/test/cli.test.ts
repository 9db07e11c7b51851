import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { BarrierResult } from "@isthmus/barrier";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NARROW_MLP } from "../../../test/helpers/narrow-mlp.ts";
import { runAlone, runCli, runJson } from "../../../test/helpers/run-cli.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const [a, b, graph] = ["s0.safetensors", "s1.safetensors", "graph.onnx"].map((name) =>
  join(NARROW_MLP, name),
) as [string, string, string];

const cnn = join(root, "test", "fixtures", "fmnist-cnn", "graph.onnx");
const hostile = join(root, "packages", "core", "test-fixtures");

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-cli-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("isthmus", () => {
  it("isthmus --help lists every verb, and each verb has help with examples", async () => {
    const { code, stdout } = await runCli(["--help"]);
    expect(code).toBe(0);
    const commands = join(root, "packages", "cli", "src", "commands");
    const files = readdirSync(commands, { recursive: true, encoding: "utf8" });
    const verbs = files.filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"));
    for (const words of verbs.map((name) => name.replace(".ts", "").split(sep))) {
      const [verb, below] = words;
      if (below === undefined) expect(stdout).toMatch(new RegExp(`^  ${verb} `, "m"));
      const help = await runCli([...words, "--help"]);
      expect(help).toMatchObject({ code: 0, stderr: "", stdout: expect.stringMatching(/^Usage: isthmus /) });
      // A verb with verbs below it does nothing by itself.
      if (!files.includes(words.join(sep))) expect(help.stdout).toContain("--json");
      expect(help.stdout).toContain("Examples:");
    }
    expect((await runCli(["help"])).stdout).toBe(stdout);
    expect((await runCli(["help", "align"])).stdout).toBe((await runCli(["align", "--help"])).stdout);
  });

  it("isthmus calls wrong usage by its name, suggests what was meant, and ends with 2", async () => {
    const cases: [string[], RegExp][] = [
      [[], /^Usage: isthmus/],
      [["inspekt", "--help"], /Unknown command 'inspekt' \(Did you mean inspect\?\)/],
      [["help", "inspekt"], /Unknown command 'inspekt' \(Did you mean inspect\?\)/],
      [["inspekt", "x"], /Unknown command 'inspekt' \(Did you mean inspect\?\)/],
      [["inspect", "--jsn", "x"], /^isthmus inspect: Unknown option '--jsn' \(Did you mean --json\?\)/],
      [
        ["barrier", "a.pt", "b.pt", "--dtaa", "mnist"],
        /^isthmus barrier: Required option '--data <name>' not specified, and there is no option '--dtaa'; see/,
      ],
      [["inspect"], /^isthmus inspect: Missing required argument 'file'/],
      [["inspect", "x", "y", "z"], /^isthmus inspect: Too many arguments/],
    ];
    for (const [args, message] of cases) {
      const { code, stdout, stderr } = await runCli(args);
      expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: "" });
      expect(stderr).toMatch(message);
    }
  });

  it("isthmus --version is that of the package, and names the library that graphs run on, as JSON, too", async () => {
    const { version } = JSON.parse(readFileSync(join(root, "packages", "cli", "package.json"), "utf8"));
    expect(await runCli(["--version"])).toEqual({
      code: 0,
      stdout: expect.stringMatching(`^${version}\nonnxruntime \\d+\\.\\d+\\.\\d+ \\(onnxruntime-node\\)\n$`),
      stderr: "",
    });
    const [json, again] = await Promise.all([runCli(["--version", "--json"]), runCli(["--json", "-V"])]);
    expect(again).toEqual(json);
    const engine = expect.stringMatching(/^onnxruntime [\d.]+ \(onnxruntime-node\)$/);
    expect(JSON.parse(json.stdout)).toEqual({ version, node: process.versions.node, engine });
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
      [["inspect", "missing.onnx"], /^isthmus inspect: Cannot open "missing\.onnx"/],
      [["inspect", cut], /^isthmus inspect: Cannot read .*cut\.safetensors/],
      [["inspect", join(hostile, "harmful-system.pt")], /^isthmus inspect: Cannot .*system/],
      [["inspect", join(hostile, "bomb.pt")], /^isthmus inspect: Cannot /],
      [
        ["align", a, b, "--graph", cnn, "-o", "x.safetensors"],
        /^isthmus align: Cannot .*29 of 29 are not, .* no name in common/,
      ],
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
  const [network, architecture] = ["s0.safetensors", "graph.onnx"].map((name) =>
    join(root, "examples", "mnist-mlp", name),
  ) as [string, string];

  it("isthmus inspect shows the tensors of a checkpoint", async () => {
    const { stdout } = await runCli(["inspect", network]);
    expect(stdout).toMatch(/^layers\.0\.weight +f16 +\[512, 784\] +803 kB$/m);
    expect(stdout).toContain("8 tensors, 932,362 parameters, 1.86 MB");
    const result = await runJson<{ tensors: unknown[]; totals: unknown; metadata: unknown }>([
      "inspect",
      network,
    ]);
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
    const result = await runJson<{ operators: unknown; weights: unknown[] }>(["inspect", architecture]);
    expect(result.operators).toEqual([
      { op: "Gemm", count: 4 },
      { op: "Relu", count: 3 },
      { op: "Flatten", count: 1 },
    ]);
    expect(result.weights).toHaveLength(8);
    expect((await runCli(["inspect", architecture])).stdout).toContain("inputs   x f32 [N, 1, 28, 28]");
  });
});

describe("isthmus symmetry", () => {
  it("isthmus symmetry finds the hidden layers of the MLP and proves them", async () => {
    const file = join(folder, "spec.json");
    const args = ["symmetry", graph, "--verify", "--checkpoint", a, "-o", file];
    const result = await runJson<SymmetryResult>(args);
    expect(result.symmetries.map(({ name, size }) => [name, size])).toEqual([
      ["layers.0", 128],
      ["layers.1", 128],
      ["layers.2", 128],
    ]);
    expect(result.symmetries[0]?.axes).toEqual([
      { tensor: "layers.0.weight", axis: 0 },
      { tensor: "layers.0.bias", axis: 0 },
      { tensor: "layers.1.weight", axis: 1 },
    ]);
    expect(result.frozen[0]).toMatchObject({ tensor: "layers.0.weight", axis: 1, node: "Gemm_0" });
    expect(result.verified).toMatchObject({ passed: true });
    expect(result.verified?.maxRelativeError).toBeLessThan(1e-4);
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ format: "isthmus-symmetries" });
  });

  it("isthmus symmetry says in words what moves and what does not", async () => {
    const { stdout } = await runCli(["symmetry", graph]);
    expect(stdout).toMatch(
      /^layers\.1 +128 +plain +3 +layers\.1\.weight:0 layers\.1\.bias:0\n +layers\.2\.weight:1$/m,
    );
    expect(stdout).toMatch(/^layers\.3\.bias:0 +10 +logits +it is an axis of an output/m);
    expect(stdout).not.toContain("erified");
  });
});

describe("isthmus align", () => {
  it("isthmus align writes the permuted network and its permutations", async () => {
    const [network, permutations] = [join(folder, "aligned.safetensors"), join(folder, "alignment.json")];
    const args = ["align", a, b, "--graph", graph, "--restarts", "1", "-o", network];
    const result = await runJson<AlignResult>([...args, "--save-alignment", permutations]);
    expect(result.objective.after).toBeGreaterThan(100);
    expect(result.objective.before).toBeLessThan(10);
    expect(result.sweeps).toBeGreaterThan(1);
    expect(result).toMatchObject({ status: "converged", verified: { passed: true }, seed: 0 });
    expect(readdirSync(folder).sort()).toEqual(["aligned.safetensors", "alignment.json"]);
    const { permutations: lists } = JSON.parse(readFileSync(permutations, "utf8"));
    expect([...lists["layers.0"]].sort((x, y) => x - y)).toEqual(
      Array.from({ length: 128 }, (_, unit) => unit),
    );

    const again = join(folder, "again.json");
    await runJson([...args.slice(0, -1), again]);
    expect(readFileSync(again, "utf8")).toBe(readFileSync(permutations, "utf8"));
  });

  it("isthmus align refuses networks that do not fit, and names what differs", async () => {
    const nan = join(folder, "nan.safetensors");
    const other = join(folder, "other.safetensors");
    writeTensors(other, { "layers.0.weight": { dtype: "F32", shape: [2, 2] } });
    const bytes = readFileSync(b);
    bytes.writeUInt16LE(0x7e00, bytes.length - 2);
    writeFileSync(nan, bytes);
    const cases: [string, RegExp][] = [
      [
        nan,
        /^isthmus align: Cannot match "layers\.3\.weight" of ".*nan\.safetensors" as weights must be finite/,
      ],
      [
        other,
        /^isthmus align: Cannot feed .*other\.safetensors" .* is another network than the graph's: it lacks 7 of 8 weights, and 1 have other shapes, such as "layers\.0\.weight"/,
      ],
    ];
    for (const [path, message] of cases) {
      const output = join(folder, "out.safetensors");
      const { code, stdout, stderr } = await runCli(["align", a, path, "--graph", graph, "-o", output]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(message);
    }
    expect(readdirSync(folder).sort()).toEqual(["nan.safetensors", "other.safetensors"]);
  });
});

describe("isthmus merge", () => {
  it("isthmus merge averages, the same bytes every time", async () => {
    const [one, two] = [join(folder, "one.safetensors"), join(folder, "two.safetensors")];
    const result = await runJson<MergeResult>([
      "merge",
      a,
      b,
      "--weights",
      "3,1",
      "--dtype",
      "bf16",
      "-o",
      one,
    ]);
    expect(result).toMatchObject({ output: { path: one, files: [one] }, weights: [3, 1], dtype: "bf16" });
    await runJson(["merge", a, b, "--weights", "3,1", "--dtype", "bf16", "-o", two]);
    expect(readFileSync(one).equals(readFileSync(two))).toBe(true);
    const { tensors, metadata } = await runJson<InspectResult>(["inspect", one]);
    expect(new Set(tensors.map(({ dtype }) => dtype))).toEqual(new Set(["bf16"]));
    expect(JSON.parse(metadata["isthmus"] ?? "")).toMatchObject({
      verb: "merge",
      weights: [3, 1],
      inputs: ["s0.safetensors", "s1.safetensors"],
    });
  });

  it("isthmus merge aligns first if asked, and writes shards", async () => {
    const output = join(folder, "merged");
    const args = [
      "merge",
      a,
      b,
      "--align",
      "--graph",
      graph,
      "--restarts",
      "1",
      "--max-shard-size",
      "120kB",
      "-o",
      output,
    ];
    const result = await runJson<MergeResult>(args);
    expect(result.alignments).toMatchObject([{ checkpoint: b, verified: { passed: true } }]);
    expect(readdirSync(output).sort()).toEqual([
      "model-00001-of-00003.safetensors",
      "model-00002-of-00003.safetensors",
      "model-00003-of-00003.safetensors",
      "model.safetensors.index.json",
    ]);
    expect((await runJson<InspectResult>(["inspect", output])).totals.parameters).toBe(134_794);
  });

  it("isthmus merge refuses wrong usage with 2 and leaves inputs alone", async () => {
    const copy = join(folder, "copy.safetensors");
    const link = join(folder, "link.safetensors");
    copyFileSync(a, copy);
    symlinkSync(copy, link);
    const output = join(folder, "out.safetensors");
    const cases: [string[], RegExp][] = [
      [[copy, b, "-o", copy], /must not be a file that is read from/],
      [[copy, b, "-o", link], /must not be a file that is read from/],
      [[a, "-o", output], /at least two checkpoints are needed, or one recipe that ends in .yml: got 1/],
      [[a, b], /-o must name the result/],
      [[a, b, "-o", output, "--weights", "1"], /--weights needs one number for each: got 1/],
      [[a, b, "-o", output, "--weights", "1,x"], /It must be a number/],
      [[a, b, "-o", output, "--weights", "1,-1"], /Cannot average 2 checkpoints/],
      [[a, b, "-o", output, "--weights", "1e308,1e308"], /the sum of the weights must be from 2\.3e-308/],
      [[a, b, "-o", output, "--weights", "1e308,1e308", "--path", "spherical"], /the sum of the weights/],
      [[a, b, "-o", output, "--weights", "1e-320,0"], /the sum of the weights must be from 2\.3e-308/],
      [[a, b, "-o", output, "--align"], /it needs the architecture: give --graph/],
      [[a, b, b, "-o", output, "--path", "spherical"], /it joins two checkpoints/],
      [[a, b, "-o", output, "--dtype", "i8"], /Allowed choices are f64, f32/],
      [[a, b, "-o", output, "--max-shard-size", "big"], /--max-shard-size <size>.* must be a size/],
      [[a, b, "-o", join(copy, "out.safetensors")], /must be a folder: one is a file/],
    ];
    for (const [args, message] of cases) {
      const { code, stdout, stderr } = await runCli(["merge", ...args]);
      expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: "" });
      expect(stderr).toMatch(message);
    }
    expect(readFileSync(copy).equals(readFileSync(a))).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(["copy.safetensors", "link.safetensors"]);
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("isthmus merge stopped by %s ends with %i and leaves nothing behind", async (signal, code) => {
    const big = join(folder, "big.safetensors");
    writeTensors(big, { weight: { dtype: "F32", shape: [200_000_000] } });
    const run = await runAlone(["merge", big, big, "-o", join(folder, "out.safetensors")], {
      onStart: (child) => void whenWriting(folder, () => child.kill(signal)),
    });
    expect(run).toMatchObject({ code, stdout: "" });
    expect(run.stderr).toContain(`stopped by ${signal}`);
    expect(readdirSync(folder)).toEqual(["big.safetensors"]);
  });

  it("isthmus merge killed half-way leaves nothing under the final name", async () => {
    const big = join(folder, "big.safetensors");
    writeTensors(big, { weight: { dtype: "F32", shape: [200_000_000] } });
    await runAlone(["merge", big, big, "-o", join(folder, "out.safetensors")], {
      onStart: (child) => void whenWriting(folder, () => child.kill("SIGKILL")),
    });
    expect(readdirSync(folder)).not.toContain("out.safetensors");
  });
});

describe("isthmus barrier", () => {
  const measured = ["barrier", a, b, "--graph", graph, "--data", "mnist:test@500", "--points", "5"];

  it("isthmus barrier measures loss and error by every definition", async () => {
    const result = await runJson<BarrierResult>(measured);
    expect(result.points.map(({ t }) => t)).toEqual([0, 0.25, 0.5, 0.75, 1]);
    const [first, , middle, , last] = result.points;
    for (const measure of ["loss", "error"] as const) {
      const ends = (first![measure] + last![measure]) / 2;
      expect(result.barrier[measure].midpoint).toBeCloseTo(middle![measure] - ends, 12);
    }
    expect(result.barrier.loss.chord).toBeGreaterThan(0.8);
    expect(result).toMatchObject({
      kind: "barrier",
      path: "linear",
      statistics: "keep",
      examples: 500,
      a,
      b,
      provenance: { command: expect.stringMatching(/^isthmus barrier .*--data mnist:test@500 --points 5$/) },
    });
  });

  it("isthmus barrier aligns, compares, refines, resamples and reports", async () => {
    const [page, permutations] = [join(folder, "page.html"), join(folder, "alignment.json")];
    await runJson(["align", a, b, "--graph", graph, "--restarts", "1", "-o", permutations]);
    const result = await runJson<BarrierResult & { asGiven: BarrierResult }>([
      ...measured,
      ...["--alignment", permutations, "--compare", "--refine", "2", "--bootstrap", "50", "--report", page],
    ]);
    expect(result.points).toHaveLength(7);
    expect(result.barrier.loss.chord).toBeLessThan(0.05);
    expect(result.interval).toMatchObject({ level: 0.95, resamples: 50, seed: 0 });
    expect(result.asGiven.barrier.loss.chord).toBeGreaterThan(0.8);
    const html = readFileSync(page, "utf8");
    expect(html).toContain("From s0.safetensors to s1.safetensors");
    expect(html.replaceAll(/<\/?span>/g, "")).toContain("isthmus barrier");

    const aligned = await runJson<BarrierResult>([...measured, "--align", "--restarts", "1"]);
    const { points } = await runJson<BarrierResult>([...measured, "--alignment", permutations]);
    expect(aligned.points).toEqual(points);
  });

  it("isthmus barrier shows a chart and a table", async () => {
    const { stdout, code } = await runCli([...measured, "--quiet"], { env: { LC_ALL: "C" } });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^[\x20-\x7e\n]*$/);
    expect(stdout).toMatch(/^ +\.\*\. as given: barrier [12]\.\d{3}$/m);
    expect(stdout).toMatch(/^barrier above the chord +[12]\.\d{3} +\d+\.\d\d points$/m);
  });

  it("isthmus barrier ends with 1 if its gate is exceeded, with the result all the same", async () => {
    const { code, stdout, stderr } = await runCli([...measured, "--max-barrier", "0.5", "--json"]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ kind: "barrier" });
    expect(stderr).toMatch(/the loss barrier is [12]\.\d+, more than 0\.5/);
    expect((await runCli([...measured, "--max-barrier", "3", "--json"])).code).toBe(0);
  });

  it("isthmus barrier refuses wrong usage and data with 2", async () => {
    const cases: [string[], RegExp][] = [
      [["--align", "--alignment", "x"], /exclude each other/],
      [["--compare"], /add --align or --alignment/],
      [["--batch-norm", "keep", "--recalibrate-examples", "5"], /leaves the statistics as they are/],
      [["--batch-norm", "reset"], /Allowed choices are keep, recalibrate/],
      [["--batch-norm", "keep", "--statistics", "repair"], /another name of --statistics/],
      [["--align", "--method", "guess"], /Allowed choices are weight, activation, straight-through/],
      [["--data", "mnits"], /Cannot open data set "mnits"/],
      [["--data", "mnist:test@99999"], /99999/],
      [["--mean", "0.5"], /--mean and --std belong together/],
      [["--alignment", graph], /Cannot read ".*graph\.onnx" as it must be JSON/],
      [["--alignment", "missing.json"], /Cannot open "missing\.json" as it must exist/],
      [["--points", "1"], /whole number from 3 to 10001/],
      [["--report", join(a, "x.html")], /s0\.safetensors" must be a folder: it is a file/],
      [["--report", a], /must end in .html/],
    ];
    for (const [args, message] of cases) {
      const { code, stdout, stderr } = await runCli([...measured, ...args]);
      expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: "" });
      expect(stderr).toMatch(message);
    }
  });
});

describe("methods and statistics", () => {
  it("isthmus align --method activation needs data, and says the method", async () => {
    const own = [
      "align",
      a,
      b,
      "--graph",
      graph,
      "--method",
      "activation",
      "-o",
      join(folder, "by-activation.json"),
    ];
    const refused = await runCli(own);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/--method activation as it needs examples: add --data/);
    const { code, stdout } = await runCli([...own, "--data", "mnist:test@200", "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      method: "activation",
      examples: 200,
      verified: { passed: true },
    });
  });

  it("isthmus merge repairs what it merges, and needs data for it", async () => {
    const own = [
      "merge",
      a,
      b,
      "--graph",
      graph,
      "--statistics",
      "repair",
      "-o",
      join(folder, "repaired.safetensors"),
    ];
    expect((await runCli(own)).stderr).toMatch(/give --graph model\.onnx and --data/);
    expect((await runCli([...own, "--data", "mnist:test@200"])).code).toBe(0);
  });

  it("isthmus barrier measures repaired networks", async () => {
    const run = await runCli([
      "barrier",
      a,
      b,
      "--graph",
      graph,
      "--data",
      "mnist:test@200",
      "--points",
      "3",
      "--statistics",
      "repair",
      "--json",
    ]);
    expect(JSON.parse(run.stdout)).toMatchObject({ statistics: "repair" });
  });
});

interface InspectResult {
  readonly tensors: readonly { readonly dtype: string }[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly totals: { readonly parameters: number };
}
interface SymmetryResult {
  readonly symmetries: readonly { readonly name: string; readonly size: number; readonly axes: unknown }[];
  readonly frozen: readonly unknown[];
  readonly verified: { readonly passed: boolean; readonly maxRelativeError: number } | null;
}
interface AlignResult {
  readonly objective: { readonly before: number; readonly after: number };
  readonly sweeps: number;
}
interface MergeResult {
  readonly alignments: readonly unknown[];
}

/** Writes a safetensors file of zeros; large ones take no room on the disk. */
function writeTensors(
  path: string,
  tensors: Readonly<Record<string, { dtype: "F32"; shape: number[] }>>,
): void {
  let end = 0;
  const header: Record<string, unknown> = {};
  for (const [name, { dtype, shape }] of Object.entries(tensors)) {
    const begin = end;
    end += 4 * shape.reduce((product, extent) => product * extent, 1);
    header[name] = { dtype, shape, data_offsets: [begin, end] };
  }
  const json = Buffer.from(JSON.stringify(header).padEnd(Math.ceil(JSON.stringify(header).length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeFileSync(path, Buffer.concat([length, json]));
  truncateSync(path, 8 + json.length + end);
}

/** Calls back once a temporary file of some size has appeared in a folder. */
function whenWriting(place: string, callback: () => void): void {
  const timer = setInterval(() => {
    const growing = readdirSync(place).some(
      (name) => name.endsWith(".tmp") && statSync(join(place, name)).size > 1e6,
    );
    if (!growing) return;
    clearInterval(timer);
    callback();
  }, 5);
}
