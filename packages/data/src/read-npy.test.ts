import { createTensor, decodeNpy, FormatError, UnsupportedError } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeNpy, npyHeader } from "../test/encode-npy.ts";
import { temporaryFolder } from "../test/temporary-folder.ts";
import { readNpy } from "./read-npy.ts";

const folder = temporaryFolder();
const body = Uint8Array.of(1, 2, 3, 4, 5, 6);

describe("decodeNpy()", () => {
  it.each([1, 2, 3] as const)("decodeNpy() reads version %d", async (version) => {
    const bytes = encodeNpy(npyHeader("|u1", [2, 3]), body, version);
    expect(decodeNpy(bytes)).toEqual(createTensor("u8", [2, 3], body));
    expect(await readNpy(folder.write("a.npy", bytes))).toEqual(createTensor("u8", [2, 3], body));
  });

  it("decodeNpy() turns Fortran order around", () => {
    const extent = fc.integer({ min: 1, max: 5 });
    fc.assert(
      fc.property(extent, extent, extent, (a, b, c) => {
        const header = npyHeader("|u1", [a, b, c]).replace("False", "True");
        const stored = Uint8Array.from({ length: a * b * c }, (_, i) => i);
        const { shape, data } = decodeNpy(encodeNpy(header, stored));
        expect(shape).toEqual([a, b, c]);
        let next = 0;
        for (let i = 0; i < a; i++)
          for (let j = 0; j < b; j++)
            for (let k = 0; k < c; k++) expect(data[next++]).toBe(i + a * (j + b * k));
      }),
    );
  });

  it("decodeNpy() refuses every truncation, and bytes left over", () => {
    const bytes = encodeNpy(npyHeader("|u1", [6]), body);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeNpy(bytes.subarray(0, length))).toThrow(FormatError);
    }
    expect(() => decodeNpy(Uint8Array.of(...bytes, 0), "f")).toThrow(
      'Cannot read "f" as its header, u8 [6], makes 6 bytes of elements: there are 7',
    );
  });

  it.each([
    ["a shape that is none", "{'descr': '|u1', 'fortran_order': False, 'shape': 6, }", /valid 'shape'/],
    ["a shape beyond numbers", npyHeader("|u1", [6]).replace("6", "9".repeat(40)), /each below 2\^53/],
    ["too many axes", npyHeader("|u1", new Array(65).fill(1)), /at most 64 extents/],
    ["no element type", "{'fortran_order': False, 'shape': (6,), }", /valid 'descr'/],
    ["no order", "{'descr': '|u1', 'shape': (6,), }", /valid 'fortran_order'/],
    ["100 GB", npyHeader("<f4", [25_000_000_000]), /makes 100000000000 bytes/],
  ])("decodeNpy() refuses %s", (_, header, message) => {
    expect(() => decodeNpy(encodeNpy(header, body))).toThrow(FormatError);
    expect(() => decodeNpy(encodeNpy(header, body))).toThrow(message);
  });

  it("decodeNpy() refuses elements it does not know", () => {
    const records = "{'descr': [('a', '<f4'), ('b', '<i2')], 'fortran_order': False, 'shape': (1,), }";
    expect(() => decodeNpy(encodeNpy(records, body))).toThrow(UnsupportedError);
    expect(() => decodeNpy(encodeNpy(npyHeader("|O", [1]), body))).toThrow(/never loaded$/);
    expect(() => decodeNpy(encodeNpy(npyHeader("<c8", [1]), body))).toThrow(/they are '<c8'$/);
    const version = encodeNpy(npyHeader("|u1", [6]), body);
    version[6] = 4;
    expect(() => decodeNpy(version)).toThrow(/version must be 1, 2 or 3: it is 4$/);
  });

  it("decodeNpy() refuses a header longer than the file", () => {
    const bytes = encodeNpy(npyHeader("|u1", [6]), body, 2);
    bytes.fill(0xff, 8, 12);
    expect(() => decodeNpy(bytes)).toThrow(/its header must fit the file/);
  });
});
