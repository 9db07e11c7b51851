import { describe, expect, it } from "vitest";
import { decodeLatin1 } from "./decode-latin1.ts";

describe("decodeLatin1()", () => {
  it("gives every byte the character of its number, within a larger buffer too", () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const view = Uint8Array.of(9, 9, ...bytes, 9).subarray(2, 258);
    expect([...decodeLatin1(view)].map((character) => character.codePointAt(0))).toEqual([...bytes]);
  });
});
