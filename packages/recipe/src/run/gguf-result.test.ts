import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convertCheckpoint, createCheckpoint, createTensor, openCheckpoint, UsageError } from "@isthmus/core";
import { afterAll, describe, expect, it } from "vitest";
import { parseRecipe } from "../read/parse-recipe.ts";
import { runRecipe } from "./run-recipe.ts";
import { verifyRecipe } from "./verify-recipe.ts";

const folder = mkdtempSync(join(tmpdir(), "isthmus-gguf-result-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes a network of one matrix; as a model of GGUF if the file is named so. */
async function write(name: string, value: number, architecture = "llama"): Promise<string> {
  const weight = createTensor("f32", [2, 32], new Float32Array(64).fill(value));
  const metadata = {
    "general.architecture": architecture,
    "general.name": name,
    "tokenizer.chat_template": "x",
  };
  const path = join(folder, name);
  const network = createCheckpoint({ "blk.0.attn_q.weight": weight }, name.endsWith(".gguf") ? metadata : {});
  await convertCheckpoint(network, path, { overwrite: true });
  return path;
}

const recipeOf = (...paths: string[]) =>
  parseRecipe(
    JSON.stringify({
      merge_method: "linear",
      models: paths.map((model) => ({ model, parameters: { weight: 1 } })),
    }),
  );

describe("runRecipe() into a GGUF file", () => {
  it("writes a quantised file with the metadata of the first network, and nothing else", async () => {
    const recipe = recipeOf(await write("a.gguf", 1), await write("b.gguf", 3));
    const output = join(folder, "out.gguf");
    const { output: saved } = await runRecipe(recipe, output, { encoding: "q8_0", overwrite: true });
    expect(saved.files).toEqual([output]);
    await using merged = await openCheckpoint(output);
    expect(merged.tensors.get("blk.0.attn_q.weight")?.stored).toBe("Q8_0");
    await expect(verifyRecipe(output)).rejects.toThrow(
      /"blk.0.attn_q.weight" is Q8_0; verify the same merge/,
    );
    expect(Math.abs(Number((await merged.read("blk.0.attn_q.weight")).data[5]) - 2)).toBeLessThan(1e-3);
    expect(merged.metadata).toMatchObject({
      "general.name": "a.gguf + b.gguf",
      "general.file_type": "7",
      "tokenizer.chat_template": "x",
      "general.base_model.count": "2",
    });
    expect(readdirSync(folder).sort()).toEqual(["a.gguf", "b.gguf", "out.gguf"]);
  });

  it("refuses files of other architectures, as the command does, unless the check is left out", async () => {
    const [a, b] = [await write("a.gguf", 1), await write("other.gguf", 3, "qwen2")];
    const output = join(folder, "mixed.gguf");
    const notes: string[] = [];
    const options = { onNote: (note: string) => void notes.push(note) };
    await expect(runRecipe(recipeOf(a, b), output, options)).rejects.toThrow(
      /meaningless: .* of other architectures: llama and qwen2; .* \(in a script: check: false\)/,
    );
    expect(notes).toEqual([]);
    await runRecipe(recipeOf(a, b), output, { ...options, check: false });
    expect(notes).toEqual([expect.stringMatching(/other architectures: llama and qwen2; with --no-check/)]);
  });

  it("refuses networks without metadata of GGUF, and an input as the output", async () => {
    const [a, c] = [await write("a.gguf", 1), await write("c.safetensors", 3)];
    const output = join(folder, "no.gguf");
    await expect(runRecipe(recipeOf(c, a), output)).rejects.toThrow(UsageError);
    await expect(runRecipe(recipeOf(c, a), output)).rejects.toThrow(
      /architecture and tokenizer in its metadata/,
    );
    await expect(runRecipe(recipeOf(a, a), a, { overwrite: true })).rejects.toThrow(
      /must not be a file that is read from/,
    );
  });
});
