import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  convertCheckpoint,
  createCheckpoint,
  openCheckpoint,
  saveCheckpoint,
  type Tensor,
} from "@isthmus/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "../../../test/helpers/run-cli.ts";

// Networks with batch norms of golden/generate-exported-networks.py, as torch's default exporter writes them.
const FILES = fileURLToPath(new URL("../../../test/fixtures/exported-networks", import.meta.url));
const [a, b, graph] = ["conv-norm-0.pt", "conv-norm-1.pt", "conv-norm-dynamo.onnx"];
const ALIGN = ["--align", "--graph", graph];
const OUT = ["-o", "out.safetensors"];
const DATA = ["--data", "safetensors:examples.safetensors"];
let folder: string;

/** Writes the second network with half of the rows of its first tensors, and half of their columns. */
async function writeNarrow(): Promise<void> {
  await using network = await openCheckpoint(join(folder, b));
  const tensors: Record<string, Tensor> = {};
  for (const name of network.tensors.keys()) {
    const tensor = await network.read(name);
    const [rows = 0, ...rest] = tensor.shape;
    const kept = Math.max(1, Math.floor(rows / 2));
    const each = rest.reduce((product, size) => product * size, 1);
    tensors[name] =
      tensor.shape.length === 0
        ? tensor
        : { ...tensor, shape: [kept, ...rest], data: tensor.data.slice(0, kept * each) };
  }
  await saveCheckpoint(createCheckpoint(tensors), join(folder, "narrow.safetensors"));
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-mistakes-"));
  for (const name of readdirSync(FILES).filter((file) => /^(conv-norm-|examples)/.test(file)))
    cpSync(join(FILES, name), join(folder, name));
  await writeNarrow();
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("mistakes at the first merge of networks of one's own", () => {
  test.each<[string, string[], RegExp]>([
    ["examples that nothing uses", ["merge", a, b, ...DATA, ...OUT], /--data needs --graph or --align/],
    [
      "a barrier without examples",
      ["merge", a, b, "--graph", graph, "--require-barrier", "1", ...OUT],
      /--require-barrier needs --data/,
    ],
    ["a scale without examples", ["merge", a, b, "--mean", "0", "--std", "1", ...OUT], /--mean needs --data/],
    [
      "a method of no alignment",
      ["merge", a, b, "--method", "activation", "--graph", graph, ...DATA, ...OUT],
      /--method needs --align/,
    ],
    [
      "searches of no alignment",
      ["barrier", a, b, "--graph", graph, ...DATA, "--restarts", "3"],
      /--restarts needs --align/,
    ],
    [
      "a method behind --align",
      ["merge", a, b, "--align", "activation", "--graph", graph, ...OUT],
      /"activation" .*: --align takes no value: write --align --method activation/,
    ],
    [
      "a method behind --align of barrier",
      ["barrier", a, b, "--graph", graph, ...DATA, "--align", "activation"],
      /write --align --method activation/,
    ],
    [
      "a graph among the checkpoints",
      ["merge", graph, a, b, "--align", ...OUT],
      /"conv-norm-dynamo\.onnx" stands among the checkpoints; put --graph before it/,
    ],
    [
      "data without their kind",
      ["merge", a, b, ...ALIGN, "--data", "examples.npz", ...OUT],
      /did you mean "npz:examples\.npz"\?/,
    ],
    [
      "networks of two widths",
      ["merge", "narrow.safetensors", b, ...ALIGN, ...OUT],
      /"[^"]+" is \[\d+.*\] and \[\d+.*\]; networks of different widths are joined by isthmus fuse/,
    ],
  ])("%s", async (_, args, message) => {
    const { code, stdout, stderr } = await runCli(args, { cwd: folder });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(message);
  });

  test("a recipe that averages statistics of batch norms says what it costs", async () => {
    const models = [a, b].map((model) => ({ model }));
    writeFileSync(join(folder, "swa.yml"), JSON.stringify({ merge_method: "swa", models }));
    const { code, stderr } = await runCli(["merge", "swa.yml", ...OUT], { cwd: folder });
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /3 batch norms: their statistics are averaged as they are, .* --graph model\.onnx/,
    );
  });

  test("GGUF files of other architectures are refused, and with --no-check merged with a note", async () => {
    const matrix = { dtype: "f32", shape: [1, 32], data: new Float32Array(32).fill(1) } as const;
    for (const architecture of ["llama", "qwen2"]) {
      const network = createCheckpoint({ "blk.0.w": matrix }, { "general.architecture": architecture });
      await convertCheckpoint(network, join(folder, `${architecture}.gguf`));
    }
    const models = ["llama", "qwen2"].map((name) => ({ model: `${name}.gguf` }));
    writeFileSync(
      join(folder, "gguf.yml"),
      JSON.stringify({ merge_method: "linear", models, parameters: { weight: 1 } }),
    );
    for (const inputs of [["gguf.yml"], ["gguf.yml", "--dry-run"], ["llama.gguf", "qwen2.gguf"]]) {
      const args = ["merge", ...inputs, "-o", "d.gguf"];
      const refused = await runCli(args, { cwd: folder });
      expect(refused).toMatchObject({ code: 2, stdout: "" });
      expect(refused.stderr).toMatch(
        /would be meaningless: .* of other architectures: llama and qwen2; .*--no-check/,
      );
      expect(existsSync(join(folder, "d.gguf"))).toBe(false);
    }
    const forced = await runCli(["merge", "llama.gguf", "qwen2.gguf", "-o", "d.gguf", "--no-check"], {
      cwd: folder,
    });
    expect(forced.code).toBe(0);
    expect(forced.stderr).toMatch(
      /other architectures: llama and qwen2; with --no-check .* those of the first/,
    );
  });

  test.each([
    ["merge", [a, b, ...ALIGN]],
    ["align", [a, b, "--graph", graph]],
    ["fuse", [a, b, "--graph", graph]],
    ["transfer", [a, b, a, "--graph", graph]],
    ["prune", [a, "--graph", graph, "--sparsity", "0.5"]],
  ])("%s refuses a format that is not written before any work", async (verb, args) => {
    const { code, stderr } = await runCli([verb, ...args, "-o", "out.pt"], { cwd: folder });
    expect(code).toBe(2);
    // Nothing was read or searched before: no note on weights, norms or progress stands above the error.
    expect(stderr).toMatch(
      new RegExp(`^isthmus ${verb}: Cannot save to "out\\.pt" as checkpoints are written in safetensors`),
    );
  });
});
