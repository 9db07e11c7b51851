import { describe, expect, it } from "vitest";
import { encodeMetadata } from "./encode-metadata.ts";
import { TYPES_KEY } from "./gguf-metadata.ts";

describe("encodeMetadata()", () => {
  it("encodes arrays, and refuses those of more items than memory has room for, before it takes them apart", () => {
    const types = JSON.stringify({ scores: "array of u8" });
    const { bytes, count } = encodeMetadata({ scores: "[1,2,3]", [TYPES_KEY]: types });
    expect([count, [...bytes.slice(-3)]]).toEqual([1, [1, 2, 3]]);
    const long = `[${"0,".repeat(2 ** 22)}0]`;
    expect(() => encodeMetadata({ scores: long, [TYPES_KEY]: types })).toThrow(
      'Cannot write metadata "scores" as an array may have 4194304 items: it has 4194305',
    );
  });
});
