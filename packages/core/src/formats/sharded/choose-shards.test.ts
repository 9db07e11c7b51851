import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../../errors.ts";
import { chooseShards } from "./shards.ts";

const nameOf = (number: number, total: number, stem = "model"): string =>
  `${stem}-${String(number).padStart(5, "0")}-of-${String(total).padStart(5, "0")}.safetensors`;

const setOf = (total: number, stem?: string): string[] =>
  Array.from({ length: total }, (_, i) => nameOf(i + 1, total, stem));

describe("chooseShards()", () => {
  it("takes a whole set, in whatever width its numbers are, and files without numbers", () => {
    expect(chooseShards("f", setOf(12))).toEqual(setOf(12));
    const narrow = Array.from({ length: 12 }, (_, i) => `a-${i + 1}-of-12.safetensors`);
    expect(chooseShards("f", narrow)).toEqual(narrow);
    expect(chooseShards("f", ["decoder.safetensors", "encoder.safetensors"])).toHaveLength(2);
    expect(chooseShards("f", ["model.safetensors"])).toHaveLength(1);
  });

  it("refuses every part of a set that is not the whole", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 9 }), fc.infiniteStream(fc.boolean()), (total, picks) => {
        const part = setOf(total).filter(() => picks.next().value);
        fc.pre(part.length > 0 && part.length < total);
        expect(() => chooseShards("f", part)).toThrow(InputError);
        expect(() => chooseShards("f", part)).toThrow(
          `of ${total} shards there are ${part.length}; they may be left of a save or a download`,
        );
      }),
    );
  });

  it("refuses shards beside anything else", () => {
    for (const names of [
      [...setOf(2), "model.safetensors"],
      [...setOf(2), ...setOf(3)],
      [...setOf(2), ...setOf(2, "other")],
      [...setOf(2), nameOf(3, 2)],
      [...setOf(2), nameOf(0, 2)],
      ["a-1-of-2.safetensors", "a-2-of-2.safetensors", "a-02-of-2.safetensors"],
      [nameOf(1, 2), "model-01-of-2.safetensors"],
    ]) {
      expect(() => chooseShards("f", names)).toThrow(InputError);
    }
  });

  it("is not misled by a set that claims to be without end", () => {
    expect(() => chooseShards("f", [`a-1-of-${"9".repeat(400)}.safetensors`])).toThrow(InputError);
  });

  it("refuses a folder without files", () => {
    expect(() => chooseShards("f", [])).toThrow('Cannot open "f" as a folder must hold safetensors files');
  });
});
