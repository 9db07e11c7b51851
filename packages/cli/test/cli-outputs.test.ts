import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NARROW_MLP } from "../../../test/helpers/narrow-mlp.ts";
import { runCli } from "../../../test/helpers/run-cli.ts";

const ADAPTERS_FOLDER = fileURLToPath(new URL("../../merging/test/golden/adapters", import.meta.url));
const KOHYA = join(ADAPTERS_FOLDER, "files", "kohya-a.safetensors");

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "isthmus-outputs-"));
  for (const folder of ["model", "foreign"]) mkdirSync(join(root, folder));
  cpSync(join(NARROW_MLP, "s0.safetensors"), join(root, "model", "model.safetensors"));
  writeFileSync(join(root, "model", "config.json"), "{}");
  cpSync(join(NARROW_MLP, "s0.safetensors"), join(root, "foreign", "foreign.safetensors"));
  cpSync(join(NARROW_MLP, "s1.safetensors"), join(root, "b.safetensors"));
  cpSync(join(NARROW_MLP, "graph.onnx"), join(root, "graph.onnx"));
  cpSync(join(ADAPTERS_FOLDER, "plain"), join(root, "lora"), { recursive: true });
  const models = [{ model: "model" }, { model: "b.safetensors" }];
  writeFileSync(join(root, "recipe.yml"), JSON.stringify({ merge_method: "linear", models }));
});
afterAll(() => rmSync(root, { recursive: true }));

const GRAPH = ["--graph", "graph.onnx"];
const [IN_INPUT, MIXED, OF_MODEL] = [
  /as it must not (lie in the folder of a model that is read|be a file that is read from)/,
  /a folder must hold one model: it holds "(foreign\.safetensors|adapter_config\.json)"/,
  /as it must not be the folder of a model, which could no longer be opened as one/,
];

/** Verbs that write networks, and the outputs by which each would damage something. */
const NETWORKS: readonly (readonly [verb: string, words: readonly string[]])[] = [
  ["merge", ["model", "b.safetensors", "-o"]],
  ["merge by recipe", ["recipe.yml", "--no-check", "-o"]],
  ["align", ["model", "b.safetensors", ...GRAPH, "-o"]],
  ["fuse", ["model", "b.safetensors", ...GRAPH, "-o"]],
  ["prune", ["model", ...GRAPH, "--sparsity", ".5", "-o"]],
  ["transfer", ["model", "b.safetensors", "b.safetensors", ...GRAPH, "-o"]],
  ["convert", ["model"]],
];

/** Command lines of adapters, with the outputs by which each would damage something. */
const ADAPTERS: readonly (readonly [words: readonly string[], message: RegExp])[] = [
  [["convert", KOHYA, "--adapter-names", "diffusers", "model"], OF_MODEL],
  [["merge", "lora", "lora", "-o", "model"], OF_MODEL],
  [["extract", "b.safetensors", "b.safetensors", "-o", "model"], OF_MODEL],
  [["extract", "model", "b.safetensors", "-o", "model"], OF_MODEL],
  [["zip", "model", "b.safetensors", ...GRAPH, "-o", "model/z"], IN_INPUT],
  [["search", "recipe.yml", "--evaluate", "true", "-o", "foreign"], MIXED],
];

const listed = (): readonly string[] => readdirSync(root, { recursive: true }).map(String).sort();

async function expectRefusal(words: readonly string[], message: RegExp): Promise<void> {
  const before = listed();
  const { code, stderr } = await runCli(words, { cwd: root });
  expect({ words, code, stderr }).toMatchObject({ code: 2, stderr: expect.stringMatching(message) });
  expect(listed()).toEqual(before);
}

describe("outputs", () => {
  it.each(NETWORKS)("of isthmus %s damage no folder of a model or an adapter", async (name, words) => {
    const command = [name.split(" ")[0] ?? "", ...words];
    for (const place of ["model", "model/merged.safetensors"])
      await expectRefusal([...command, place], IN_INPUT);
    for (const place of ["foreign", "lora"]) await expectRefusal([...command, place], MIXED);
  });

  it.each(ADAPTERS)("are refused where they would mix two models: %j", expectRefusal);

  it("are replaced by the same command, complete or not at all", async () => {
    for (const words of [
      ["merge", "model", "b.safetensors", "--no-check", "-o", "out"],
      ["convert", "model", "out", "--dtype", "bf16"],
      ["merge", "lora", "lora", "-o", "both"],
      ["merge", "lora", "lora", "-o", "both"],
    ]) {
      expect(await runCli(words, { cwd: root })).toMatchObject({ code: 0 });
    }
  });
});
