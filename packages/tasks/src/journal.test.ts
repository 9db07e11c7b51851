import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { FormatError, InputError, MismatchError } from "@isthmus/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openJournal } from "./journal.ts";

const RUN = { kind: "plane", points: 3 };
const WHOLE = { format: "isthmus journal", version: 1, run: RUN, pieces: { a: [1, "NaN", 0.1] } };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-journal-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function open(content: unknown) {
  const path = join(folder, "journal.json");
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return openJournal(path, RUN);
}

describe("openJournal()", () => {
  it("openJournal() gives pieces back to the bit, also those that are no numbers", async () => {
    const journal = await open(WHOLE);
    const unused = () => Promise.reject(new TypeError("computed"));
    expect(await journal.get("a", unused)).toEqual([1, Number.NaN, 0.1]);
    expect(await journal.get("b", async () => [Number.POSITIVE_INFINITY, -0.5])).toHaveLength(2);
    expect(JSON.parse(readFileSync(join(folder, "journal.json"), "utf8")).pieces.b).toEqual([
      "Infinity",
      -0.5,
    ]);
  });

  it("openJournal() keeps all pieces that are computed at once, and computes each once", async () => {
    const journal = await open(WHOLE);
    const keys = Array.from({ length: 20 }, (_, i) => `piece ${i}`);
    let computed = 0;
    const compute = async (key: string) => {
      computed += 1;
      await setTimeout(computed % 3);
      return [key.length];
    };
    await Promise.all([...keys, ...keys].map((key) => journal.get(key, () => compute(key))));
    expect(computed).toBe(20);
    const { pieces } = JSON.parse(readFileSync(join(folder, "journal.json"), "utf8"));
    expect(Object.keys(pieces).sort()).toEqual(["a", ...keys].sort());
  });

  it("openJournal() gives plain data back, also numbers that JSON has none of, and computes them once", async () => {
    const value = {
      layers: [{ name: "a", value: 0.1 }, { value: Number.NaN }],
      high: Number.NEGATIVE_INFINITY,
    };
    const journal = await open(WHOLE);
    expect(await journal.getData("c", async () => ({ ...value, more: undefined }))).toStrictEqual(value);
    const again = await openJournal(join(folder, "journal.json"), RUN);
    expect(again.has("c")).toBe(true);
    expect(await again.getData("c", () => Promise.reject(new TypeError("computed")))).toStrictEqual(value);
    expect(await again.get("a", () => Promise.reject(new TypeError("computed")))).toHaveLength(3);
  });

  it.each<[string, unknown]>([
    ["has data without names", { ...WHOLE, data: "a" }],
    ["is no JSON", "{"],
    ["is nested without end", `${"[".repeat(200_000)}${"]".repeat(200_000)}`],
    ["is null", "null"],
    ["is of another version", { ...WHOLE, version: 2 }],
    ["has no run", { ...WHOLE, run: undefined }],
    ["has a piece that is no list", { ...WHOLE, pieces: { a: 1 } }],
    ["has a number that is an object", { ...WHOLE, pieces: { a: [{ toString: 1 }] } }],
  ])("openJournal() refuses a file that %s", async (_, content) => {
    await expect(open(content)).rejects.toThrow(FormatError);
    await expect(open(content)).rejects.toThrow(/^Cannot go on from ".*journal\.json" as it/);
  });

  it("openJournal() refuses the journal of another measurement, whatever it was of", async () => {
    for (const points of [4, { toString: 1 }, [[]], null]) {
      const other = open({ ...WHOLE, run: { ...RUN, points } });
      await expect(other).rejects.toThrow(MismatchError);
      await expect(other).rejects.toThrow(
        /"points" is .* there and 3 here; it was left as it is: name another file, or remove it to begin anew$/,
      );
    }
  });

  it("openJournal() refuses a folder", async () => {
    await expect(openJournal(folder, RUN)).rejects.toThrow(InputError);
  });
});
