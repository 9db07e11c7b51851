import { describe, expect, it } from "vitest";
import { at, entry, InvariantError } from "./invariant.ts";

describe("entry()", () => {
  it("returns what is there, undefined included", () => {
    expect(entry(new Map([["a", 1]]), "a")).toBe(1);
    expect(entry(new Map([["a", undefined]]), "a")).toBeUndefined();
  });

  it("names the key that is missing", () => {
    expect(() => entry(new Map([["a", 1]]), "b", "weight")).toThrow(InvariantError);
    expect(() => entry(new Map([["a", 1]]), "b", "weight")).toThrow(
      'No weight "b" among 1; please report this',
    );
  });
});

describe("at()", () => {
  it("returns elements of lists and arrays of numbers", () => {
    expect(at(["a", "b"], 1)).toBe("b");
    expect(at(Float32Array.of(3), 0)).toBe(3);
  });

  it("names the index that is not within the list", () => {
    for (const index of [-1, 2]) {
      expect(() => at([1, 2], index, "axis")).toThrow(`No axis ${index} among 2; please report this`);
    }
  });
});
