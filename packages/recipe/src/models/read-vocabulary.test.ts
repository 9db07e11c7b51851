import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isIsthmusError } from "@isthmus/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mergedDocument, stripTokenizer } from "./merge-tokenizer.ts";
import { readVocabulary } from "./read-vocabulary.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isthmus-vocabulary-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function readModel(model: unknown) {
  await writeFile(join(folder, "tokenizer.json"), JSON.stringify({ model, added_tokens: [] }));
  return readVocabulary(folder);
}

/** An object that cannot be written as text by `String()`. */
const UNPRINTABLE = { toString: 1, valueOf: 2 };

describe("readVocabulary()", () => {
  it.each([
    [
      "an item of a list",
      { type: "Unigram", vocab: [["a", 0], UNPRINTABLE] },
      /one is \{"toString":1,"valueOf":2\}/,
    ],
    [
      "the token of an item",
      { type: "Unigram", vocab: [[UNPRINTABLE, 0]] },
      /every item of model.vocab must be a token/,
    ],
    ["an id", { type: "BPE", vocab: { a: UNPRINTABLE } }, /ids must be whole numbers/],
  ])("refuses %s that is no text or number", async (_, model, message) => {
    const error = await readModel(model).catch((thrown: unknown) => thrown);
    expect(isIsthmusError(error)).toBe(true);
    expect(String(error)).toMatch(message);
  });

  it("reads merges that are no texts, and leaves them where tokens are removed", async () => {
    const merges = ["a b", ["a", "b"], UNPRINTABLE, [UNPRINTABLE, "a"]];
    const vocabulary = await readModel({ type: "BPE", vocab: { a: 0, b: 1, ab: 2 }, merges });
    if (vocabulary === undefined) throw new Error("there is a tokenizer.json");
    const merged = mergedDocument(stripTokenizer({ ...vocabulary, size: 2 }));
    expect(merged).toMatchObject({
      model: { vocab: { a: 0, b: 1 }, merges: [UNPRINTABLE, [UNPRINTABLE, "a"]] },
    });
  });
});
