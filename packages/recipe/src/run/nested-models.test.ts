import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createCheckpoint, createRandom, createTensor, openCheckpoint, saveCheckpoint } from "@isthmus/core";
import { describe, expect, it } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { parseRecipe } from "../read/parse-recipe.ts";
import { openRecipe } from "./open-recipe.ts";
import { runRecipe } from "./run-recipe.ts";
import { planRecipeFiles } from "./write-recipe-files.ts";

const golden = fileURLToPath(new URL("../../test/golden/vocabularies", import.meta.url));

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

/** Embedding of mergekit's union of a union, by token: see tools/golden/nested-unions.py. */
const nestedUnion: Readonly<Record<string, readonly number[]>> = JSON.parse(
  readFileSync(new URL("../../test/golden/nested-union.json", import.meta.url), "utf8"),
);

interface TokenizerFile {
  readonly model: { readonly vocab: Readonly<Record<string, number>> };
  readonly added_tokens: readonly { readonly content: string; readonly id: number }[];
}

/** Reads the ids of all tokens in the folder of a model. */
function tokensOf(path: string): ReadonlyMap<string, number> {
  const { model, added_tokens: added }: TokenizerFile = JSON.parse(read(join(path, "tokenizer.json")));
  return new Map([...Object.entries(model.vocab), ...added.map(({ content, id }) => [content, id] as const)]);
}

const randomTensor = (shape: readonly number[], seed: string) => {
  const { normal } = createRandom(1, seed);
  const size = shape.reduce((a, b) => a * b, 1);
  return createTensor("f32", shape, Float32Array.from({ length: size }, normal));
};

/** Saves a model of some layers, with rows for its tokens. */
async function saveModel(name: string, { rows = 56, layers = 3, config = {}, tokenizer = "bpe" } = {}) {
  const path = join(folder, name);
  if (tokenizer === "") mkdirSync(path);
  else cpSync(join(golden, tokenizer), path, { recursive: true });
  const file = join(path, "config.json");
  const before = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  writeFileSync(file, JSON.stringify({ ...before, ...config }));
  const blocks = Array.from(
    { length: layers },
    (_, i) => [`model.layers.${i}.mlp.up_proj.weight`, randomTensor([5, 3], `${name} ${i}`)] as const,
  );
  const tensors = new Map([["model.embed_tokens.weight", randomTensor([rows, 3], name)], ...blocks]);
  await saveCheckpoint(createCheckpoint(tensors), join(path, "model.safetensors"));
  return path;
}

const read = (path: string) => readFileSync(path, "utf8");
async function tensorsOf(path: string) {
  await using checkpoint = await openCheckpoint(path);
  const names = [...checkpoint.tensors.keys()];
  return new Map(await Promise.all(names.map(async (name) => [name, await checkpoint.read(name)] as const)));
}

describe("recipes inside recipes of models", () => {
  it("give what two merges one after another give, vocabulary, layers and files included", async () => {
    const config = { num_hidden_layers: 3, layer_types: ["full", "sliding", "full"] };
    const a = await saveModel("a", { config });
    const b = await saveModel("b", { config, rows: 50, tokenizer: "bpe-chat" });
    const c = await saveModel("c", { config: { ...config, num_hidden_layers: 5 }, layers: 5 });
    const slices = [
      {
        sources: [
          { model: a, layer_range: [0, 3] },
          { model: b, layer_range: [0, 3] },
        ],
      },
      {
        sources: [
          { model: a, layer_range: [1, 3] },
          { model: b, layer_range: [1, 3] },
        ],
      },
    ];
    const first = { merge_method: "linear", slices, tokenizer: { source: "union" } };
    const second = (model: string, more: object = {}) =>
      parseRecipe(
        JSON.stringify({ merge_method: "linear", models: [{ model }, { model: c }], ...more }),
        "second.yml",
      );
    const between = join(folder, "between");
    await runRecipe(parseRecipe(JSON.stringify(first)), between);
    for (const more of [
      { tokenizer_source: "union" },
      { tokenizer: { source: "base", pad_to_multiple_of: 64 } },
    ]) {
      const [twoSteps, oneStep] = [join(folder, "two"), join(folder, "one")];
      await runRecipe(second(between, more), twoSteps);
      const documents = [{ name: "first", ...first }, second("first", more)];
      await runRecipe(parseRecipe(documents.map((one) => JSON.stringify(one)).join("\n---\n")), oneStep);
      expect(await tensorsOf(oneStep)).toEqual(await tensorsOf(twoSteps));
      for (const file of ["config.json", "tokenizer.json", "tokenizer_config.json"])
        expect(read(join(oneStep, file))).toBe(read(join(twoSteps, file)));
      rmSync(twoSteps, { recursive: true });
      rmSync(oneStep, { recursive: true });
    }
    expect(JSON.parse(read(join(between, "config.json")))).toMatchObject({
      ...{ num_hidden_layers: 5, layer_types: ["full", "sliding", "full", "sliding", "full"] },
    });
  });

  it("join vocabularies twice as mergekit-multi does", async () => {
    const save = async (name: string, tokenizer: string, model: number) => {
      const count = Math.max(...tokensOf(join(golden, tokenizer)).values()) + 1;
      const path = await saveModel(name, { tokenizer, config: { vocab_size: count } });
      const rows = Float32Array.from(
        { length: 3 * count },
        (_, i) => Math.round(256 * Math.sin(100 * model + i)) / 256,
      );
      const embedding = createTensor("f32", [count, 3], rows);
      const file = join(path, "model.safetensors");
      await saveCheckpoint(createCheckpoint({ "model.embed_tokens.weight": embedding }), file, {
        overwrite: true,
      });
      return path;
    };
    const [a, b, c] = [
      await save("a", "bpe", 0),
      await save("b", "bpe-chat", 1),
      await save("c", "bpe-other", 2),
    ];
    const shared = { merge_method: "linear", tokenizer_source: "union", dtype: "float32" };
    const of = (model: string, weight: number) => ({ model, parameters: { weight } });
    const documents = [
      { name: "first", ...shared, models: [of(a, 0.75), of(b, 0.25)] },
      { ...shared, models: [of("first", 0.5), of(c, 0.5)] },
    ];
    const out = join(folder, "out");
    await runRecipe(parseRecipe(documents.map((one) => JSON.stringify(one)).join("\n---\n")), out);
    const tokens = tokensOf(out);
    expect([...tokens.keys()].sort()).toEqual(Object.keys(nestedUnion).sort());
    const data = (await tensorsOf(out)).get("model.embed_tokens.weight")?.data ?? [];
    for (const [token, id] of tokens) {
      const row = [...data.slice(3 * id, 3 * id + 3)].map(Number);
      const wanted = nestedUnion[token] ?? [];
      expect(
        Math.max(...row.map((value, i) => Math.abs(value - (wanted[i] ?? Number.NaN)))),
        token,
      ).toBeLessThan(2e-6);
    }
  });

  it("hand their vocabulary on to a recipe that says nothing of one", async () => {
    const a = await saveModel("a");
    const b = await saveModel("b", { rows: 50, tokenizer: "bpe-chat" });
    const first = { merge_method: "linear", models: [{ model: a }, { model: b }], tokenizer_source: "union" };
    const [between, out] = [join(folder, "between"), join(folder, "out")];
    await runRecipe(parseRecipe(JSON.stringify(first)), between);
    const outer = { merge_method: "passthrough", models: [{ model: first }] };
    await runRecipe(parseRecipe(JSON.stringify(outer)), out);
    expect(await tensorsOf(out)).toEqual(await tensorsOf(between));
    for (const file of ["config.json", "tokenizer.json"])
      expect(read(join(out, file))).toBe(read(join(between, file)));
  });

  it("say which network has no tokenizer, and where", async () => {
    const a = await saveModel("a");
    const file = join(folder, "plain.safetensors");
    await saveCheckpoint(createCheckpoint({ "model.embed_tokens.weight": randomTensor([56, 3], "x") }), file);
    const recipe = parseRecipe(
      `merge_method: linear\ntokenizer_source: union\nmodels:\n  - model: ${a}\n  - model: ${file}\n`,
      "r.yml",
    );
    await expect(openRecipe(recipe)).rejects.toThrow(
      /plain\.safetensors" has none \(r\.yml:5: "models\[1\]"\)/,
    );
  });
});

describe("the number of layers in config.json", () => {
  const stack = (model: string, more = "") =>
    parseRecipe(
      `merge_method: passthrough\nslices:\n  - sources: [{ model: ${model}, layer_range: [0, 3] }]\n  - sources: [{ model: ${model}, layer_range: [1, 3] }]\n${more}`,
      "r.yml",
    );

  it("is found by the only key that has it", async () => {
    const a = await saveModel("a", { tokenizer: "", config: { model_type: "zorbnet", depth: 3, width: 32 } });
    const out = join(folder, "out");
    await runRecipe(stack(a), out);
    expect(JSON.parse(read(join(out, "config.json")))).toEqual({
      model_type: "zorbnet",
      depth: 5,
      width: 32,
    });
  });

  it("is asked for before anything is written, and taken from the key that the recipe names", async () => {
    const a = await saveModel("a", { tokenizer: "", config: { model_type: "zorbnet", depth: 3, heads: 3 } });
    const out = join(folder, "out");
    const message =
      /"depth" and "heads" are both 3; write the key .* num_layers_config_key: NAME .*\(r\.yml:2: "slices"\)/;
    await expect(runRecipe(stack(a), out)).rejects.toThrow(message);
    expect(existsSync(out)).toBe(false);
    const opened = await openRecipe(stack(a));
    await expect(planRecipeFiles(stack(a), opened, {})).rejects.toThrow(message);
    await opened.close();
    await runRecipe(stack(a), join(folder, "weights.safetensors"));
    await runRecipe(stack(a, "num_layers_config_key: depth\n"), out);
    expect(JSON.parse(read(join(out, "config.json")))).toEqual({ model_type: "zorbnet", depth: 5, heads: 3 });
  });
});

describe("parts that are stacked", () => {
  it.each(["text_decoder", "default"])(
    "count their layers in the config if they are the main one: %s",
    async (part) => {
      const config = { num_hidden_layers: 3 };
      const [a, b] = [await saveModel("a", { config }), await saveModel("b", { config })];
      const slices = [
        { sources: [{ model: a, layer_range: [0, 3] }] },
        { sources: [{ model: b, layer_range: [1, 3] }] },
      ];
      const recipe = parseRecipe(
        JSON.stringify({ merge_method: "passthrough", modules: { [part]: { slices } } }),
      );
      const output = join(folder, "stacked");
      await runRecipe(recipe, output);
      expect(JSON.parse(read(join(output, "config.json")))).toMatchObject({ num_hidden_layers: 5 });
      expect([...(await tensorsOf(output)).keys()].filter((name) => name.includes(".4."))).toHaveLength(1);
    },
  );
});
