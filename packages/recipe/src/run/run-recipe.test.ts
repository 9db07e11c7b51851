import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createCheckpoint, createTensor, openCheckpoint, saveCheckpoint, toFloat64 } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { readGraph } from "@isthmus/graph";
import { discoverSymmetries, permute, randomAlignment } from "@isthmus/symmetry";
import { describe, expect, it } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { NARROW_MLP } from "../../../../test/helpers/narrow-mlp.ts";
import { parseRecipe } from "../read/parse-recipe.ts";
import { createAligner } from "./create-aligner.ts";
import { runRecipe } from "./run-recipe.ts";
import { verifyRecipe } from "./verify-recipe.ts";

const root = fileURLToPath(new URL("../../../..", import.meta.url));
const golden = join(root, "packages", "recipe", "test", "golden", "vocabularies");
const adapters = join(root, "packages", "merging", "test", "golden", "adapters");

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

/** A model with a golden tokenizer, whose rows of tokens are `[id + offset, ...]`. */
async function saveModel(
  name: string,
  tokenizer: string,
  { rows, offset, head }: { readonly rows: number; readonly offset: number; readonly head: boolean },
) {
  const path = join(folder, name);
  cpSync(join(golden, tokenizer), path, { recursive: true });
  const table = (width: number) =>
    createTensor(
      "f32",
      [rows, width],
      Float32Array.from({ length: rows * width }, (_, i) => Math.floor(i / width) + offset),
    );
  await saveCheckpoint(
    createCheckpoint({
      "model.embed_tokens.weight": table(3),
      "model.layers.0.mlp.up_proj.weight": createTensor("f32", [5, 3], new Float32Array(15).fill(offset)),
      "model.layers.1.mlp.up_proj.weight": createTensor("f32", [5, 3], new Float32Array(15).fill(2 * offset)),
      ...(head ? { "lm_head.weight": table(3) } : {}),
    }),
    join(path, "model.safetensors"),
  );
  return path;
}

async function valuesOf(path: string, tensor: string): Promise<number[]> {
  const checkpoint = await openCheckpoint(path);
  try {
    const { data, dtype } = await checkpoint.read(tensor);
    return [...toFloat64(data, dtype)];
  } finally {
    await checkpoint.close();
  }
}

describe("runRecipe()", () => {
  it("unites vocabularies of other sizes, and writes a model that says so", async () => {
    const a = await saveModel("a", "bpe", { rows: 56, offset: 0, head: true });
    const b = await saveModel("b", "bpe-chat", { rows: 50, offset: 1000, head: true });
    const recipe = parseRecipe(
      `merge_method: linear\nbase_model: ${a}\ntokenizer: { source: union, pad_to_multiple_of: 16 }\nmodels: [{ model: ${a} }, { model: ${b} }]\nchat_template: chatml`,
    );
    const out = join(folder, "out");
    const { modelFiles } = await runRecipe(recipe, out);
    expect(modelFiles.files).toEqual(
      expect.arrayContaining(["README.md", "chat_template.jinja", "config.json", "tokenizer.json"]),
    );
    const config = JSON.parse(readFileSync(join(out, "config.json"), "utf8"));
    expect(config.vocab_size % 16).toBe(0);
    const checkpoint = await openCheckpoint(out);
    expect(checkpoint.tensors.get("lm_head.weight")?.shape).toEqual([config.vocab_size, 3]);
    await checkpoint.close();
    expect(await valuesOf(out, "model.layers.0.mlp.up_proj.weight")).toEqual(Array(15).fill(500));
    expect(readFileSync(join(out, "README.md"), "utf8")).toContain("merge_method: linear");
    expect((await verifyRecipe(out)).ok).toBe(true);
  });

  it("refuses vocabularies of other sizes without a tokenizer, and says what to write", async () => {
    const [a, b] = [
      await saveModel("a", "bpe", { rows: 56, offset: 0, head: true }),
      await saveModel("b", "bpe-chat", { rows: 50, offset: 1, head: true }),
    ];
    const recipe = parseRecipe(`merge_method: linear\nmodels: [{ model: ${a} }, { model: ${b} }]`);
    await expect(runRecipe(recipe, join(folder, "out"))).rejects.toThrow(/tokenizer: \{ ?source: union ?\}/);
    expect(readdirSync(folder)).toEqual(["a", "b"]);
  });

  describe("with tokens in tokenizer.model only", () => {
    /** Saves two models of which each has its tokens in a file of SentencePiece. */
    async function savePieces(pieces: readonly [string, string], rows: readonly [number, number] = [56, 56]) {
      const paths = await Promise.all(
        pieces.map(async (content, i) => {
          const path = await saveModel(`pieces-${rows[i]}-${i}`, "bpe", {
            rows: rows[i] ?? 56,
            offset: 2 * i,
            head: true,
          });
          for (const file of readdirSync(path))
            if (/^(tokenizer|vocab|merges|special|added)/.test(file)) rmSync(join(path, file));
          writeFileSync(join(path, "tokenizer.model"), content);
          const config = JSON.parse(readFileSync(join(path, "config.json"), "utf8"));
          writeFileSync(join(path, "config.json"), JSON.stringify({ ...config, vocab_size: rows[i] }));
          return path;
        }),
      );
      const run = (tokenizer: string) =>
        runRecipe(
          parseRecipe(
            `merge_method: linear\ntokenizer: ${tokenizer}\nmodels: [{ model: ${paths[0]} }, { model: ${paths[1]} }]`,
          ),
          join(folder, "out"),
        );
      return { run, paths };
    }

    it.each(["{ source: union }", "{ source: base }"])(
      "merges rows in their places where the files are equal, as %s, and copies them",
      async (tokenizer) => {
        const { run } = await savePieces(["pieces", "pieces"]);
        const { modelFiles } = await run(tokenizer);
        expect(modelFiles.notes.join()).not.toContain("cannot be read");
        expect(readFileSync(join(folder, "out", "tokenizer.model"), "utf8")).toBe("pieces");
        expect((await valuesOf(join(folder, "out"), "lm_head.weight")).slice(0, 6)).toEqual([
          1, 1, 1, 2, 2, 2,
        ]);
      },
    );

    it("unites no files that differ, and says how to make what is missing; base takes rows as they are", async () => {
      const { run, paths } = await savePieces(["pieces", "others"]);
      await expect(run("{ source: union }")).rejects.toThrow(
        `they are in tokenizer.model only; make tokenizer.json in Python (packages transformers and sentencepiece): AutoTokenizer.from_pretrained("${paths[0]}").save_pretrained`,
      );
      await expect(run("{ source: base, pad_to_multiple_of: 8 }")).rejects.toThrow(/make tokenizer\.json/);
      const { modelFiles } = await run("{ source: base }");
      expect(modelFiles.notes.join()).toMatch(
        /cannot be read: all networks are taken to have the tokens of ".*pieces-56-0"/,
      );
      expect(readFileSync(join(folder, "out", "tokenizer.model"), "utf8")).toBe("pieces");
    });

    it("does not take files for equal whose added tokens contradict each other, nor rows of other sizes", async () => {
      const { run, paths } = await savePieces(["pieces", "pieces"]);
      for (const [i, token] of ["<a>", "<b>"].entries())
        writeFileSync(join(paths[i] ?? "", "added_tokens.json"), JSON.stringify({ [token]: 55 }));
      await expect(run("{ source: union }")).rejects.toThrow(/make tokenizer\.json/);
      const larger = await savePieces(["pieces", "pieces"], [57, 60]);
      await expect(larger.run("{ source: union }")).rejects.toThrow(/vocabularies must have one size/);
    });
  });

  it.each([
    ["no head", false],
    ["its embedding as its head", true],
  ])(
    "gives a network with %s one of its own where others have that, and the config says so",
    async (_, head) => {
      const [a, b] = [
        await saveModel("a", "bpe", { rows: 56, offset: 0, head }),
        await saveModel("b", "bpe", { rows: 56, offset: 2, head: true }),
      ];
      const config = join(a, "config.json");
      writeFileSync(
        config,
        readFileSync(config, "utf8").replace('"tie_word_embeddings": false', '"tie_word_embeddings": true'),
      );
      const recipe = parseRecipe(`merge_method: linear\nmodels: [{ model: ${a} }, { model: ${b} }]`);
      await runRecipe(recipe, join(folder, "out"));
      expect((await valuesOf(join(folder, "out"), "lm_head.weight")).slice(0, 6)).toEqual([1, 1, 1, 2, 2, 2]);
      expect(readFileSync(join(folder, "out", "config.json"), "utf8")).toContain(
        '"tie_word_embeddings": false',
      );
    },
  );

  it("stacks layers, and the config has as many", async () => {
    const a = await saveModel("a", "bpe", { rows: 56, offset: 1, head: true });
    const recipe = parseRecipe(
      `merge_method: passthrough\nslices:\n  - sources: [{ model: ${a}, layer_range: [0, 2] }]\n  - sources: [{ model: ${a}, layer_range: [1, 2] }]`,
    );
    await runRecipe(recipe, join(folder, "out"));
    const config = JSON.parse(readFileSync(join(folder, "out", "config.json"), "utf8"));
    expect(config.num_hidden_layers).toBe(3);
    expect(await valuesOf(join(folder, "out"), "model.layers.2.mlp.up_proj.weight")).toEqual(
      Array(15).fill(2),
    );
  });

  it("applies LoRA adapters as they are read, as PEFT merges them", async () => {
    const base = join(adapters, "base.safetensors");
    const recipe = parseRecipe(
      `merge_method: linear\nmodels: [{ model: "${base}+${join(adapters, "plain")}" }]`,
    );
    const out = join(folder, "out.safetensors");
    await runRecipe(recipe, out);
    const merged = await openCheckpoint(join(adapters, "merged", "plain.safetensors"));
    for (const name of merged.tensors.keys()) {
      const expected = await valuesOf(merged.source, name);
      const actual = await valuesOf(out, name);
      for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 5);
    }
    await merged.close();
  });

  it("gives the same bytes with any number of threads, and when networks are aligned", async () => {
    const models = (align: string) =>
      `models: [{ model: ${NARROW_MLP}/s0.safetensors }, { model: ${NARROW_MLP}/s1.safetensors${align} }]`;
    const recipe = parseRecipe(
      `merge_method: dare_ties\nbase_model: ${NARROW_MLP}/s0.safetensors\nparameters: { weight: 0.5, density: 0.4 }\n${models("")}`,
    );
    const outputs = [1, 3].map((threads) => ({ threads, path: join(folder, `${threads}.safetensors`) }));
    // Neither is a fine-tune of the other.
    for (const { threads, path } of outputs)
      await runRecipe(recipe, path, { threads, seed: 7, check: false });
    const [one, three] = outputs.map(({ path }) => readFileSync(path));
    expect(three).toEqual(one);

    const align = createAligner(createOnnxRuntimeEngine());
    const aligned = parseRecipe(
      `merge_method: linear\n${models(`, align: { graph: ${NARROW_MLP}/graph.onnx, restarts: 1 }`)}`,
    );
    const { output } = await runRecipe(aligned, join(folder, "aligned.safetensors"), { align, threads: 4 });
    expect(output.threads).toBe(1);
    expect((await verifyRecipe(output.path, { align })).ok).toBe(true);
  });

  it("merges diffusion models whose programs name tensors in two ways, and says so", async () => {
    const save = async (file: string, names: readonly string[], value: number) => {
      const tensor = createTensor("f32", [1], Float32Array.of(value));
      const tensors = Object.fromEntries(names.map((name) => [name, tensor]));
      await saveCheckpoint(createCheckpoint(tensors), join(folder, file));
    };
    const token = "embeddings.token_embedding.weight";
    const names = ["model.diffusion_model.img_in.weight", `cond_stage_model.transformer.text_model.${token}`];
    await save("a.safetensors", ["img_in.weight", `cond_stage_model.transformer.${token}`], 1);
    await save("b.safetensors", names, 5);
    const recipe = parseRecipe(
      JSON.stringify({
        merge_method: "task_arithmetic",
        base_model: join(folder, "b.safetensors"),
        models: [{ model: join(folder, "a.safetensors"), parameters: { weight: 0.5 } }],
      }),
    );
    const notes: string[] = [];
    const output = join(folder, "merged.safetensors");
    await runRecipe(recipe, output, { check: false, threads: 1, onNote: (note) => notes.push(note) });
    for (const name of names) expect(await valuesOf(output, name)).toEqual([3]);
    expect(notes).toEqual([
      expect.stringMatching(
        /a.safetensors" names 2 .* "cond_stage_model.transformer.embeddings.* is merged as ".*text_model/,
      ),
    ]);
  });

  it("aligns several networks through one universe: copies of one network merge to it", async () => {
    const { graph } = await readGraph(`${NARROW_MLP}/graph.onnx`);
    const engine = createOnnxRuntimeEngine();
    const { spec } = await discoverSymmetries({ graph, engine });
    const original = await openCheckpoint(`${NARROW_MLP}/s0.safetensors`);
    const models = [`{ model: ${NARROW_MLP}/s0.safetensors }`];
    for (const seed of [1, 2]) {
      const path = join(folder, `copy-${seed}.safetensors`);
      await saveCheckpoint(permute(randomAlignment(spec, seed), original, spec), path);
      models.push(`{ model: ${path}, align: universe }`);
    }
    const recipe = parseRecipe(`merge_method: linear\nmodels: [${models.join(", ")}]`);
    const output = join(folder, "universe.safetensors");
    await runRecipe(recipe, output, { align: createAligner(engine, { graph: `${NARROW_MLP}/graph.onnx` }) });
    const merged = await openCheckpoint(output);
    for (const name of original.tensors.keys()) {
      expect((await merged.read(name)).data).toEqual((await original.read(name)).data);
    }
    await Promise.all([merged.close(), original.close()]);
    await expect(runRecipe(recipe, output, { align: createAligner(engine) })).rejects.toThrow(
      /needs the architecture.*write "align: \{ graph: model.onnx, many: best \}".*or give --graph model.onnx.*models\[0\]/,
    );
    expect(() => parseRecipe(`merge_method: linear\nmodels: [{ model: a, align: univers }]`)).toThrow(
      /"models\[0\].align" must be one of universe: it is "univers"/,
    );
  });
});
