import { readdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { openCheckpoint } from "../open-checkpoint.ts";
import { saveCheckpoint } from "../save-checkpoint.ts";
import { composeCheckpoint } from "./compose-checkpoint.ts";
import { createCheckpoint } from "./create-checkpoint.ts";
import { assertFiniteTensors, countNonFinite, formatNonFinite } from "./non-finite.ts";

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

const f32 = (...values: number[]) =>
  ({ dtype: "f32", shape: [values.length], data: Float32Array.from(values) }) as const;
const path = () => join(folder, "out.safetensors");

describe("countNonFinite()", () => {
  test("counts what is NaN and what is infinite, wherever it stands", () => {
    const number = fc.constantFrom(
      0,
      1,
      -2.5,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
    );
    fc.assert(
      fc.property(fc.array(number, { maxLength: 200 }), (values) => {
        const count = countNonFinite({ dtype: "f32", data: Float32Array.from(values) });
        const wrong = values.filter((value) => !Number.isFinite(value));
        const nan = wrong.filter(Number.isNaN).length;
        const first = values.findIndex((value) => !Number.isFinite(value));
        const expected = { nan, infinite: wrong.length - nan, first };
        expect(count).toEqual(wrong.length === 0 ? undefined : expected);
      }),
    );
  });

  test("is said in words", () => {
    expect(formatNonFinite({ nan: 1, infinite: 2, first: 7 }, 10)).toBe(
      "1 of 10 is NaN, 2 are infinite, the first at element 7",
    );
    expect(formatNonFinite({ nan: 0, infinite: 2, first: 0 }, 3)).toBe(
      "2 of 3 are infinite, the first at element 0",
    );
  });
});

describe("saveCheckpoint() of numbers that are none", () => {
  test("names the checkpoint they come from, and leaves nothing", async () => {
    const bad = createCheckpoint({ w: f32(1, Number.NaN, Number.POSITIVE_INFINITY) }, {}, "bad.pt");
    const wrapped = composeCheckpoint(new Map([["module.w", { checkpoint: bad, name: "w" }]]), {
      source: "wrapped",
    });
    await expect(saveCheckpoint(wrapped, path())).rejects.toMatchObject({
      _tag: "InputError",
      input: "bad.pt",
      message: expect.stringMatching(
        /^Cannot save "wrapped" as its numbers must be finite: in "w" of "bad\.pt" 1 of 3 is NaN, 1 is infinite, the first at element 1;.*allowNonFinite/,
      ),
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  test("says that numbers overflow an element type, and which is the largest", async () => {
    const large = createCheckpoint({ w: f32(1, -70_000) }, {}, "large.pt");
    await expect(saveCheckpoint(large, path(), { dtype: "f16" })).rejects.toThrow(
      'Cannot save "w" of "large.pt" as f16 as its numbers must fit: the largest is 70000; choose a type of a wider range',
    );
    await expect(saveCheckpoint(large, path(), { dtype: "bf16" })).resolves.toBeDefined();
  });

  test("writes them all the same if told to", async () => {
    const bad = createCheckpoint({ w: f32(1, Number.NaN) }, {}, "bad.pt");
    await saveCheckpoint(bad, path(), { allowNonFinite: true });
    const saved = await openCheckpoint(path());
    expect(await saved.read("w")).toMatchObject({ data: Float32Array.of(1, Number.NaN) });
    await saved.close();
  });
});

describe("assertFiniteTensors()", () => {
  test("names the first tensor that is not finite", async () => {
    const bad = createCheckpoint({ a: f32(1), b: f32(Number.NaN, 2) }, {}, "bad.pt");
    await expect(assertFiniteTensors("measure a barrier", bad)).rejects.toThrow(
      'Cannot measure a barrier of "bad.pt" as its numbers must be finite: in "b" 1 of 2 is NaN, the first at element 0',
    );
  });
});
