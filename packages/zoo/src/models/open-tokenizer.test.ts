import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { encodeInPieces } from "./encode-in-pieces.ts";
import { openTokenizer } from "./open-tokenizer.ts";

const FOLDER = fileURLToPath(new URL("../../test/golden/tokenizers/", import.meta.url));

/** What tools/golden/make-tokenizers.py wrote: texts, and their ids by each tokenizer. */
const {
  samples,
  ...expected
}: { readonly samples: readonly string[] } & Record<string, readonly number[][]> = JSON.parse(
  readFileSync(join(FOLDER, "expected.json"), "utf8"),
);

describe("openTokenizer()", () => {
  it.each(Object.entries(expected))(
    "openTokenizer() encodes as the library tokenizers does: %s",
    async (kind, ids) => {
      const encode = await openTokenizer(join(FOLDER, kind));
      expect(samples.map((text) => [...encode(text)])).toEqual(ids);
    },
  );

  it.each(Object.keys(expected))("encodeInPieces() gives the ids of the whole: %s", async (kind) => {
    const encode = await openTokenizer(join(FOLDER, kind));
    const pieces: number[] = [];
    const counted = (text: string) => {
      pieces.push(text.length);
      return encode(text);
    };
    const text = [0, 1, 2, 3, 4].flatMap((i) => [...samples.slice(i), ...samples.slice(0, i)]).join("\n");
    expect(encodeInPieces(counted, text, { piece: 300 })).toEqual(encode(text));
    // Besides the two or more encodings that prove each cut.
    expect(pieces.filter((length) => length >= 300).length).toBeGreaterThan(5);
    expect(Math.max(...pieces)).toBeLessThan(text.length / 2);
  });

  it("openTokenizer() says what is missing or damaged", async () => {
    const folder = await mkdtemp(join(tmpdir(), "isthmus-tokenizer-"));
    await expect(openTokenizer(folder)).rejects.toThrow(
      /must have a tokenizer.json: there is none; save its/,
    );
    await writeFile(join(folder, "tokenizer.json"), "{}");
    await expect(openTokenizer(folder)).rejects.toThrow(/must be a tokenizer of Hugging Face form: /);
    await rm(folder, { recursive: true });
  });
});
