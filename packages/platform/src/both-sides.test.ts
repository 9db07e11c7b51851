import * as zlib from "node:zlib";
import fc from "fast-check";
import { describe, expect, expectTypeOf, it } from "vitest";
import * as web from "./browser/index.ts";
import { crc32 as slowCrc32 } from "./crc32.ts";
import * as node from "./index.ts";

const SIDES = [
  ["Node.js", node],
  ["browsers", web],
] as const;
const bytes = fc.uint8Array({ maxLength: 300 });

it("both sides have the same names, of the same types", () => {
  expect(Object.keys(web).sort()).toEqual(Object.keys(node).sort());
  expectTypeOf<typeof web>().toExtend<typeof node>();
  expectTypeOf<typeof node>().toExtend<typeof web>();
});

describe.each(SIDES)("the side for %s", (_, side) => {
  it("decodeLatin1() gives every byte the character of its number, within a larger buffer too", () => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    const view = Uint8Array.of(9, 9, ...all, 9).subarray(2, 258);
    const text = side.decodeLatin1(view);
    expect(Array.from(text, (character) => character.codePointAt(0))).toEqual([...all]);
    expect(side.encodeLatin1(text)).toEqual(all);
    expect(side.decodeLatin1(new Uint8Array(20_000).fill(255))).toBe("ÿ".repeat(20_000));
  });

  it.each([
    [1, [1, 2, 3, 4, 5, 6, 7, 8]],
    [2, [2, 1, 4, 3, 6, 5, 8, 7]],
    [4, [4, 3, 2, 1, 8, 7, 6, 5]],
    [8, [8, 7, 6, 5, 4, 3, 2, 1]],
  ])("swapBytesInPlace() reverses elements of %i bytes where they stand, and no others", (width, swapped) => {
    const all = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
    const part = all.subarray(1, 9);
    expect(side.swapBytesInPlace(part, width)).toBe(part);
    expect([...all]).toEqual([0, ...swapped, 9]);
  });

  it("compareBytes() and Base64 are as those of a Buffer", () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(side.compareBytes(a, b)).toBe(Buffer.compare(a, b));
        expect(side.encodeBase64(a)).toBe(Buffer.from(a).toString("base64"));
        expect(side.decodeBase64(side.encodeBase64(a))).toEqual(a);
      }),
    );
    expect(side.decodeBase64("aGk *")).toEqual(side.encodeUtf8("hi"));
  });

  it("createHash() computes SHA-256, in parts too", () => {
    fc.assert(
      fc.property(bytes, fc.string({ unit: "grapheme" }), (a, text) => {
        const parts = side.createHash("sha256").update(a).update(text).digest("hex");
        const whole = Buffer.concat([a, Buffer.from(text)]);
        expect(parts).toBe(node.createHash("sha256").update(whole).digest("hex"));
        const digest = side.createHash("sha256").update(whole).digest();
        expect(Buffer.from(digest).toString("hex")).toBe(parts);
        expect(side.createHash("sha256").update(whole).digest("base64")).toBe(side.encodeBase64(digest));
      }),
    );
  });

  it("crc32c() computes the checksum of the standard", () => {
    expect(side.crc32c(side.encodeUtf8("123456789"))).toBe(0xe3069283);
    expect(side.crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  });

  it("crc32() computes the checksum of the standard, in parts too", () => {
    const text = side.encodeUtf8("123456789");
    for (const crc32 of [side.crc32, slowCrc32]) {
      expect(crc32(text)).toBe(0xcbf43926);
      expect(crc32(text.subarray(4), crc32(text.subarray(0, 4)))).toBe(0xcbf43926);
      expect(crc32(new Uint8Array(0))).toBe(0);
    }
  });

  it.each([
    ["inflateRaw()", side.inflateRaw, zlib.deflateRawSync],
    ["inflate()", side.inflate, zlib.deflateSync],
    ["gunzip()", side.gunzip, zlib.gzipSync],
  ] as const)("%s unpacks what Node.js packs, and no more than it may", async (_, unpack, pack) => {
    fc.assert(
      fc.property(fc.array(bytes), (parts) => {
        const whole = side.concatBytes(parts);
        const packed = pack(whole);
        expect(new Uint8Array(unpack(packed, { maxOutputLength: whole.length + 1 }))).toEqual(whole);
      }),
    );
    const zeros = pack(new Uint8Array(2 ** 22));
    const tooLong = expect.objectContaining({ code: "ERR_BUFFER_TOO_LARGE" });
    expect(() => unpack(zeros, { maxOutputLength: 2 ** 20 })).toThrow(tooLong);
    const begin = unpack(zeros.subarray(0, 1000), { maxOutputLength: 2 ** 22, isPart: true });
    expect(begin.length).toBeGreaterThan(100_000);
    const cut = expect.objectContaining({ code: "Z_BUF_ERROR" });
    expect(() => unpack(zeros.subarray(0, 1000), { maxOutputLength: 2 ** 22 })).toThrow(cut);
    const damaged = Uint8Array.from(pack(Buffer.from("a text that is packed, a text that is packed")));
    damaged.fill(255, 3);
    expect(() => unpack(damaged, { maxOutputLength: 1000 })).toThrow();
  });

  it("inflate() and gunzip() compare the checksum at the end", async () => {
    for (const [unpack, packed] of [
      [side.inflate, zlib.deflateSync("some text")],
      [side.gunzip, zlib.gzipSync("some text")],
    ] as const) {
      const at = packed.length - (unpack === side.gunzip ? 8 : 4);
      packed[at] = 1 + (packed[at] as number);
      expect(() => unpack(packed, { maxOutputLength: 100 })).toThrow(/check/);
    }
    const packed = zlib.gzipSync("some text");
    expect(side.decodeUtf8(await side.gunzipAside(packed, { maxOutputLength: 9 }))).toBe("some text");
  });
});
