import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { readTextEncoding } from "./text-encoding.ts";

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

const write = (text: string) => writeFile(join(folder, "vocab.json"), text);

describe("readTextEncoding()", () => {
  it("readTextEncoding() knows a vocabulary of characters, special tokens aside", async () => {
    await write('{"<pad>": 0, "a": 1, "😀": 2, "\\n": 3, "[": 4}');
    expect(await readTextEncoding(folder)).toEqual({
      vocabulary: new Map([
        ["a", 1],
        ["😀", 2],
        ["\n", 3],
        ["[", 4],
      ]),
    });
  });

  it("readTextEncoding() tells tokens of other kinds, and models that say nothing", async () => {
    expect(await readTextEncoding(folder)).toEqual({});
    await write('{"a": 0, "ab": 1}');
    expect(await readTextEncoding(folder)).toEqual({ tokenizerFolder: folder });
    await rm(join(folder, "vocab.json"));
    await writeFile(join(folder, "tokenizer.json"), "{}");
    expect(await readTextEncoding(folder)).toEqual({ tokenizerFolder: folder });
  });

  it.each([
    ["{", /must be JSON/],
    ['{"a": "b"}', /token ids: "a" is "b"$/],
    ['{"a": -1}', /"a" is -1$/],
  ])("readTextEncoding() refuses %s", async (text, message) => {
    await write(text);
    await expect(readTextEncoding(folder)).rejects.toThrow(message);
  });
});
