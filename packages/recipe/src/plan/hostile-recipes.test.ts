import { readdirSync, readFileSync } from "node:fs";
import { createCheckpoint, createTensor, isIsthmusError, isUsageError } from "@isthmus/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { METHODS } from "../../test/mergekit-methods.ts";
import { parseRecipe } from "../read/parse-recipe.ts";
import { planRecipe } from "./plan-recipe.ts";

const folder = new URL("../../test/golden/recipes/", import.meta.url);
const texts = readdirSync(folder)
  .filter((name) => name.endsWith(".yml"))
  .map((name) => readFileSync(new URL(name, folder), "utf8"));

const names = Array.from({ length: 6 }, (_, i) => [
  `layers.${i}.self_attn.q_proj.w`,
  `layers.${i}.mlp.w`,
]).flat();
const tensor = createTensor("f32", [1], Float32Array.of(0));
const network = createCheckpoint(new Map([...names, "lm_head.weight"].map((name) => [name, tensor])));

/** What takes the place of a word of a recipe. */
const WORDS = [
  ...[
    "",
    "null",
    "~",
    "[]",
    "{}",
    "-1",
    "1e400",
    ".nan",
    ".inf",
    "yes",
    "0x10",
    "2001-01-01",
    "*",
    "&a",
    "*a",
    "!!set",
  ],
  ...[
    "<<: *a",
    "/(/",
    "/a/g",
    '"',
    "'",
    "- ",
    ": ",
    "__proto__",
    "constructor",
    "toString",
    "? ",
    "---",
    "search",
  ],
  ...["[[[[", "{a: {b: [1, {c: d}]}}", "merge_method", "models", "filter", "value", "\t", "\u0000", "%", "@"],
];
const edits = fc.array(fc.tuple(fc.nat(400), fc.nat(3), fc.constantFrom(...WORDS)), {
  minLength: 1,
  maxLength: 4,
});

/** Replaces, removes or doubles words of a text. */
function mutate(text: string, list: readonly (readonly [number, number, string])[]): string {
  const words = text.split(/(\s+|[[\]{},:])/);
  for (const [place, kind, word] of list) {
    const i = place % words.length;
    const old = words[i] ?? "";
    words[i] = [word, "", old + old, `${old} ${word}`][kind] ?? word;
  }
  return words.join("");
}

test("recipes with mistakes of any kind are read, or refused by errors of ours", async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...texts), edits, async (text, list) => {
      const mutated = mutate(text, list);
      try {
        await planRecipe(parseRecipe(mutated), { open: async () => network, methods: METHODS });
      } catch (error) {
        const isOurs =
          isIsthmusError(error, "InputError", "FormatError", "MismatchError") || isUsageError(error);
        expect(isOurs, `${mutated}\n${(error as Error).stack}`).toBe(true);
      }
    }),
    { numRuns: 600, seed: 7 },
  );
}, 60_000);
