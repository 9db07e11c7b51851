import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { allocateData, createTensor, FormatError, InputError } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTextDataSet } from "./create-text-data-set.ts";
import { decodeText } from "./decode-text.ts";
import { openDataSet } from "./open-data-set.ts";

/** The characters of each example. */
function texts({ vocabulary = [], size, read, exampleShape }: DataSet): string[] {
  const [context = 0] = exampleShape;
  const { data } = read(0, size).inputs;
  return Array.from({ length: size }, (_, i) =>
    Array.from({ length: context }, (_, t) => vocabulary[Number(data[i * context + t])]).join(""),
  );
}

/** The character that follows each example. */
function following({ vocabulary = [], size, read }: DataSet): string {
  return Array.from(read(0, size).labels, (label) => vocabulary[label]).join("");
}

const characters = fc.array(fc.constantFrom(..."abcdé\n𝔸😀"), { minLength: 5, maxLength: 60 });

describe("createTextDataSet()", () => {
  it("createTextDataSet() cuts a text into windows that share a character", () => {
    const data = createTextDataSet("hello, world", { context: 4 });
    expect(texts(data)).toEqual(["hell", "lo, ", " wor"]);
    expect(following(data)).toBe("owl");
    expect(data).toMatchObject({ name: "text", size: 3, exampleShape: [4], classes: 9 });
    expect(data.vocabulary).toEqual([" ", ",", "d", "e", "h", "l", "o", "r", "w"]);
    expect(data.read(0, 1).inputs).toMatchObject({ dtype: "i64", shape: [1, 4] });
  });

  it("createTextDataSet() numbers characters as a vocabulary says, and names one that it lacks", () => {
    const vocabulary = new Map(
      [...["o", "l", "é", "h", "e"].entries()].map(([i, character]) => [character, 2 * i]),
    );
    const data = createTextDataSet("hello", { context: 2, vocabulary });
    expect(Array.from(data.read(0, 3).inputs.data, Number)).toEqual([6, 8, 8, 2, 2, 2]);
    expect(data.classes).toBe(9);
    expect(texts(data)).toEqual(["he", "el", "ll"]);
    expect(() => createTextDataSet("hello, hé", { context: 2, vocabulary })).toThrow(
      /vocabulary of 5 characters must have each of its characters: ",", character 5 of the text, is not among them$/,
    );
  });

  it("createTextDataSet() predicts each character once, but the first and what fills no window", () => {
    fc.assert(
      fc.property(characters, fc.integer({ min: 2, max: 4 }), (text, context) => {
        const data = createTextDataSet(text.join(""), { context });
        const predicted = texts(data).flatMap((example) => [...example].slice(1));
        const joined = [text[0], ...predicted].join("");
        expect(text.join("").startsWith(joined)).toBe(true);
        expect(text.length - (1 + predicted.length)).toBeLessThanOrEqual(context - 1);
        const behind = texts(data).map((_, i) => text[i * (context - 1) + context]);
        expect(following(data)).toBe(behind.join(""));
        expect([...(data.vocabulary ?? [])].sort()).toEqual([...new Set(text)].sort());
      }),
    );
  });

  it("createTextDataSet() gathers what it reads, in any order", () => {
    const data = createTextDataSet("the quick brown fox jumps over it", { context: 5 });
    fc.assert(
      fc.property(fc.uint32Array({ min: 0, max: data.size - 1, minLength: 1, maxLength: 9 }), (indices) => {
        const count = indices.length;
        const inputs = createTensor("i64", [count, 5], allocateData("i64", 5 * count).fill(-1n as never));
        const out = data.gatherInto?.(indices, { inputs, labels: new Int32Array(count) });
        const singles = [...indices].map((i) => data.read(i, i + 1));
        expect([...(out?.inputs.data ?? [])]).toEqual(singles.flatMap((one) => [...one.inputs.data]));
        expect([...(out?.labels ?? [])]).toEqual(singles.map((one) => one.labels[0]));
      }),
    );
  });

  it("createTextDataSet() splits nine to one, with one vocabulary", () => {
    const text = `${"ab".repeat(45)}${"cd".repeat(5)}`;
    const [train, test] = (["train", "test"] as const).map((split) =>
      createTextDataSet(text, { context: 4, split }),
    ) as [DataSet, DataSet];
    expect(train.vocabulary).toEqual(["a", "b", "c", "d"]);
    expect(test.vocabulary).toEqual(train.vocabulary);
    expect(new Set(texts(train).join(""))).toEqual(new Set("ab"));
    expect(texts(test)).toEqual(["cdcd", "dcdc"]);
  });

  it("createTextDataSet() refuses what it cannot use", () => {
    expect(() => createTextDataSet("abcd", { context: 4 })).toThrow(InputError);
    expect(() => createTextDataSet("abcd", { context: 4 })).toThrow(/at least 5 tokens .*: it has 4/);
    expect(() => createTextDataSet("", {})).toThrow(/at least 65 tokens .*: it has 0/);
    expect(() => createTextDataSet("abcdefg", { context: 3, limit: 9 })).toThrow(
      /first 9 examples .* it has 2/,
    );
    for (const context of [1, 2.5, -3]) {
      expect(() => createTextDataSet("abcdefg", { context })).toThrow(
        /"context" must be a whole number of at least 2/,
      );
    }
    const data = createTextDataSet("abcdefg", { context: 3 });
    expect(() => data.read(0, 3)).toThrow(/Cannot read examples 0 to 3 of "text"/);
    const floats = { inputs: createTensor("f32", [1, 3], new Float32Array(3)), labels: new Int32Array(1) };
    expect(() => data.gatherInto?.(Uint32Array.of(0), floats)).toThrow(/inputs must be i64: they are f32/);
    expect(() => data.gatherInto?.(Uint32Array.of(2), data.read(0, 1))).toThrow(/Cannot read example 2/);
  });
});

describe("decodeText()", () => {
  it("decodeText() decodes UTF-8 whatever the chunks", () => {
    const text = "é😀𝔸a".repeat(120_000);
    expect(decodeText(new TextEncoder().encode(text), "t")).toEqual(
      Int32Array.from(text, (character) => character.codePointAt(0) ?? 0),
    );
  });

  it("decodeText() leaves out a byte order mark and refuses what is not UTF-8", () => {
    expect(decodeText(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61), "t")).toEqual(Int32Array.of(0x61));
    for (const bytes of [[0xff], [0x61, 0xc3], [0xed, 0xa0, 0x80]]) {
      expect(() => decodeText(Uint8Array.from(bytes), "t")).toThrow(FormatError);
      expect(() => decodeText(Uint8Array.from(bytes), "t")).toThrow(
        /Cannot read "t" as a text must be UTF-8/,
      );
    }
  });
});

describe("openDataSet() of text", () => {
  let folder: string;
  let path: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "isthmus-text-"));
    path = join(folder, "a:b.txt");
    await writeFile(path, `${"ab".repeat(450)}${"cd".repeat(50)}`);
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("openDataSet() reads windows of the wanted length of a split", async () => {
    const name = `text:${path}:train@3`;
    const data = await openDataSet(name, { context: 4 });
    expect(data).toMatchObject({ name, size: 3, exampleShape: [4], classes: 4 });
    expect(texts(data)).toEqual(["abab", "baba", "abab"]);
    const test = await openDataSet(`text:${path}:test`);
    expect(test).toMatchObject({ size: 1, exampleShape: [64] });
    expect(texts(test)[0]).toBe("cd".repeat(32));
  });

  it("openDataSet() refuses to scale text, and files that are missing", async () => {
    const scaling = { mean: 0, std: 1 };
    await expect(openDataSet(`text:${path}`, { scaling })).rejects.toThrow(
      /must be bytes: they are characters/,
    );
    await expect(openDataSet(`text:${path}x`)).rejects.toThrow(InputError);
    await expect(openDataSet("text:")).rejects.toThrow(/"text:" must be followed by a file/);
  });
});
