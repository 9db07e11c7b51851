import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createCheckpoint, createTensor, saveCheckpoint } from "@isthmus/core";
import { extractAdapter, mergeByPlan, saveAdapter } from "@isthmus/merging";
import { gatherFiles } from "@isthmus/tasks";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { parseRecipe } from "../read/parse-recipe.ts";
import type { Recipe } from "../recipe/recipe.ts";
import { gatherRecipe, moveRecipePaths } from "./gather-recipe.ts";
import { openRecipe } from "./open-recipe.ts";

const GOLDEN = new URL("../../test/golden/vocabularies/", import.meta.url);
const HERE = process.cwd();
let folder: string;
const network = (value: number) =>
  createCheckpoint({ "q.weight": createTensor("f32", [2, 2], Float32Array.of(value, 2, 3, 4 * value)) });

beforeEach(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "isthmus-gather-")));
  for (const name of ["work/nets", "elsewhere", "hub/models--owner--model/refs", "other machine"])
    mkdirSync(join(folder, name), { recursive: true });
  process.chdir(join(folder, "work"));
  await saveCheckpoint(network(1), "nets/a.safetensors");
  await saveCheckpoint(network(2), "../elsewhere/b.safetensors");
  await saveCheckpoint(network(9), "../elsewhere/fisher.safetensors");
  writeFileSync("../elsewhere/vocab.json", "{}");
  await saveAdapter(extractAdapter(network(7), network(1), { rank: 1 }).adapter, "../elsewhere/tuned");
  const hub = "../hub/models--owner--model";
  writeFileSync(join(hub, "refs/main"), "abc");
  await saveCheckpoint(network(3), join(hub, "snapshots/abc/model.safetensors"));
  writeFileSync(join(hub, "snapshots/abc/tokenizer.json"), "{}");
  vi.stubEnv("HF_HUB_CACHE", join(folder, "hub"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  process.chdir(HERE);
  rmSync(folder, { recursive: true });
});

/** Merges by a recipe in the folder that the process runs in. */
async function valuesOf(recipe: Recipe): Promise<unknown> {
  const { plan, close } = await openRecipe(recipe);
  const merged = mergeByPlan(plan);
  const values: unknown[] = [];
  for (const name of merged.tensors.keys()) values.push([name, (await merged.read(name)).data]);
  await close();
  return values;
}

/** Writes a language model with a golden tokenizer, whose rows of tokens are `[id + offset, ...]`. */
async function saveModel(
  path: string,
  tokenizer: string,
  { rows, offset }: { rows: number; offset: number },
) {
  cpSync(new URL(tokenizer, GOLDEN), path, { recursive: true });
  const values = Float32Array.from({ length: 3 * rows }, (_, i) => Math.floor(i / 3) + offset);
  const table = createTensor("f32", [rows, 3], values);
  const up = createTensor("f32", [5, 3], new Float32Array(15).fill(offset));
  const tensors = { "model.embed_tokens.weight": table, "model.layers.0.mlp.up_proj.weight": up };
  await saveCheckpoint(
    createCheckpoint({ ...tensors, "lm_head.weight": table }),
    join(path, "model.safetensors"),
  );
}

/** Merges by a recipe on another machine, which has the files that were gathered and no others. */
async function valuesElsewhere(
  recipe: Recipe,
): Promise<{ readonly names: readonly string[]; readonly values: unknown }> {
  const files = gatherFiles({ isElsewhere: true });
  const moved = await gatherRecipe(recipe, files);
  const there = join(folder, "other machine");
  for (const { name = "", path } of files.list()) {
    mkdirSync(dirname(join(there, name)), { recursive: true });
    cpSync(path, join(there, name));
  }
  vi.stubEnv("HF_HUB_CACHE", join(folder, "no hub"));
  for (const name of ["work", "elsewhere", "hub"]) rmSync(join(folder, name), { recursive: true });
  process.chdir(there);
  return {
    names: files
      .list()
      .map(({ name = "" }) => name)
      .sort(),
    values: await valuesOf(moved),
  };
}

describe("gatherRecipe()", () => {
  it("gathers networks, adapters and models of the hub, from wherever they lie", async () => {
    const recipe = parseRecipe(`
      merge_method: linear
      parameters: { weight: 1 }
      models:
        - model: nets/a.safetensors+../elsewhere/tuned
        - model: { model: { path: ${folder}/elsewhere/b.safetensors } }
        - model: owner/model@main
        - model: { merge_method: linear, parameters: { weight: 1 }, models: [{ model: ./nets/a.safetensors }, { model: ../work/nets/a.safetensors }] }
    `);
    const expected = await valuesOf(recipe);
    const { names, values } = await valuesElsewhere(recipe);
    expect(values).toEqual(expected);
    expect(names).toEqual([
      ".outside/0/b.safetensors",
      ".outside/0/tuned/adapter_config.json",
      ".outside/0/tuned/adapter_model.safetensors",
      ".outside/0/vocab.json",
      ".outside/1/abc/model.safetensors",
      ".outside/1/abc/tokenizer.json",
      "nets/a.safetensors",
    ]);
  });

  it("gathers what was measured, and leaves a recipe alone whose files lie below the working folder", async () => {
    const text = "merge_method: fisher\nmodels:\n";
    const plain = parseRecipe(
      `${text}  - { model: nets/a.safetensors, fisher: nets/a.safetensors }\n  - { model: nets/a.safetensors, fisher: nets/a.safetensors }\n`,
    );
    expect(await gatherRecipe(plain, gatherFiles({ isElsewhere: true }))).toBe(plain);
    const recipe = parseRecipe(
      `${text}  - { model: nets/a.safetensors, fisher: nets/a.safetensors }\n  - { model: ../elsewhere/b.safetensors, fisher: ../elsewhere/fisher.safetensors }\n`,
    );
    expect(await gatherRecipe(recipe, gatherFiles({ isElsewhere: false }))).toBe(recipe);
    const expected = await valuesOf(recipe);
    expect((await valuesElsewhere(recipe)).values).toEqual(expected);
  });

  it("gathers recipes in files, unless these name networks elsewhere", async () => {
    const nested = (model: string): string =>
      `merge_method: linear\nparameters: { weight: 1 }\nmodels: [{ model: nets/a.safetensors }, { model: ${model} }]\n`;
    writeFileSync("bad.yml", nested("../elsewhere/b.safetensors"));
    writeFileSync("../elsewhere/good.yml", nested("nets/a.safetensors"));
    await expect(
      gatherRecipe(parseRecipe(nested("bad.yml")), gatherFiles({ isElsewhere: true })),
    ).rejects.toThrow(/recipe "bad\.yml".*must be relative, and lie below the working folder/);
    const recipe = parseRecipe(nested("../elsewhere/good.yml"));
    const expected = await valuesOf(recipe);
    const { names, values } = await valuesElsewhere(recipe);
    expect(values).toEqual(expected);
    expect(names).toEqual([".outside/0/good.yml", "nets/a.safetensors"]);
  });

  it("gathers tokenizers, and renames the network that one is taken from", async () => {
    await saveModel("../elsewhere/a", "bpe", { rows: 56, offset: 0 });
    await saveModel("b", "bpe-chat", { rows: 50, offset: 1000 });
    const recipe = parseRecipe(`
      merge_method: linear
      base_model: b
      parameters: { weight: 1 }
      tokenizer:
        source: ../elsewhere/a
        tokens: { "<|im_start|>": { source: { kind: model_token, model: ../elsewhere/a, token_id: 3 } } }
      models: [{ model: ../elsewhere/a }, { model: b }]
    `);
    const expected = await valuesOf(recipe);
    const { names, values } = await valuesElsewhere(recipe);
    expect(values).toEqual(expected);
    expect(names).toEqual(
      expect.arrayContaining([".outside/0/a/tokenizer.json", "b/config.json", "b/tokenizer.json"]),
    );
  });

  it("refuses what cannot be opened", async () => {
    const recipe = parseRecipe("merge_method: linear\nmodels: [{ model: a }, { model: none.safetensors }]");
    await expect(gatherRecipe(recipe, gatherFiles({ isElsewhere: true }))).rejects.toThrow(/must exist/);
  });
});

describe("moveRecipePaths()", () => {
  const move = (path: string): string => path.replace(/^\/there\//, "/here/");

  it("moves networks, adapters, measurements and graphs, and nothing that only looks like a path", () => {
    const text = (root: string): string => `
merge_method: linear
base_model: ${root}/base@v1+${root}/tuned+unet:${root}/more
models:
  - {model: ${root}/a.safetensors, fisher: ${root}/f.safetensors, align: {graph: ${root}/m.onnx}, parameters: {weight: [{filter: "/there/q_proj/", value: 0.3}, {value: 1}]}}
  - {model: {model: {path: ${root}/b, revision: "/there/x"}, lora: ${root}/tuned}, parameters: {weight: 1}}
  - {model: {model: ${root}/b+${root}/c, lora: ${root}/tuned}, parameters: {weight: 1}}
  - {model: owner/model, parameters: {weight: 1}}
tokenizer: {source: base, tokens: {"/there/token": {source: ${root}/a.safetensors}}}
`;
    expect(moveRecipePaths(parseRecipe(text("/there")), move)).toEqual(parseRecipe(text("/here")));
    const same = parseRecipe(text("/elsewhere"));
    expect(moveRecipePaths(same, move)).toBe(same);
  });
});
