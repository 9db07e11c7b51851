import { readFileSync, rmSync } from "node:fs";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { planMixtureRecipe, readMixtureRecipe } from "@isthmus/mixtures";
import { DENSE, saveDense } from "../../../packages/mixtures/test/dense-models.ts";
import { mutateBytes } from "../mutate/mutate-bytes.ts";
import { mutateJson, writeJson } from "../mutate/mutate-json.ts";
import { mutateLines } from "../mutate/mutate-lines.ts";
import type { FuzzTarget } from "../target.ts";

const [FILE, CONFIG] = ["moe.yml", "config.json"];
/** Place of the folder of an input in a recipe, which is known once the input is read. */
const HERE = "FOLDER";

/** Makes recipes of mixtures, and configs of a model in them, with values and structure changed, and plans them. */
export async function createMixtureTarget(): Promise<FuzzTarget> {
  const models = await mkdtemp(join(tmpdir(), "isthmus-fuzz-mixtures-"));
  process.once("exit", () => rmSync(models, { recursive: true, force: true }));
  await saveDense(join(models, "base"));
  await saveDense(join(models, "a"), { seed: 1 });
  const weights = readFileSync(join(models, "a", "model.safetensors"));
  const recipe = {
    base_model: join(models, "base"),
    gate_mode: "cheap_embed",
    experts_per_token: 2,
    dtype: "bfloat16",
    experts: [
      { source_model: join(models, "base"), positive_prompts: ["abc"], noise_scale: 0.1 },
      { source_model: HERE, positive_prompts: ["d"], negative_prompts: ["e"], residual_scale: 0.5 },
    ],
  };
  const good = {
    [FILE]: JSON.stringify(recipe),
    [CONFIG]: JSON.stringify(DENSE),
    "model.safetensors": weights,
  };
  const expert = (line: string) => `base_model: ${join(models, "base")}\nexperts:\n${line}`;
  return {
    name: "mixture",
    valid: () => [good],
    *bombs() {
      yield { ...good, [FILE]: expert("- [".repeat(5000)) };
      yield {
        ...good,
        [FILE]: expert(`  - source_model: ${"../".repeat(2000)}etc/passwd\n    positive_prompts: [a]`),
      };
      yield { ...good, [FILE]: expert(`  - {source_model: x, positive_prompts: ["${"a".repeat(2e6)}"]}\n`) };
      yield {
        ...good,
        [FILE]: expert(
          `  - &e {source_model: ${HERE}, positive_prompts: [a]}\n${"  - *e\n".repeat(20_000)}`,
        ),
      };
      yield { ...good, [FILE]: JSON.stringify({ ...recipe, experts_per_token: 2 ** 53 }) };
      yield { ...good, [FILE]: JSON.stringify({ ...recipe, experts: { length: 2 ** 32 } }) };
      for (const key of ["num_hidden_layers", "num_attention_heads", "vocab_size", "hidden_size"])
        for (const value of [2 ** 40, -1, 0.5, "1", null, [1]])
          yield { ...good, [CONFIG]: JSON.stringify({ ...DENSE, [key]: value }) };
    },
    make(dice) {
      if (dice.chance(0.3)) return { ...good, [CONFIG]: writeJson(dice, mutateJson(dice, DENSE)) };
      if (dice.chance(0.4)) return { ...good, [FILE]: writeJson(dice, mutateJson(dice, recipe)) };
      const text = JSON.stringify(recipe, undefined, 1);
      return {
        ...good,
        [FILE]: dice.chance(0.5) ? mutateBytes(dice, Buffer.from(text)) : mutateLines(dice, text),
      };
    },
    async read(folder) {
      const path = join(folder, FILE);
      const text = await readFile(path);
      await writeFile(path, Buffer.from(text.toString("latin1").replaceAll(HERE, folder), "latin1"));
      await planMixtureRecipe(await readMixtureRecipe(path));
    },
  };
}
