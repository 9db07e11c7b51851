import { gzipSync } from "node:zlib";
import { createTensor, DTYPES, type DType, FormatError, InputError, sizeOf } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countingBytes, encodeIdx } from "../test/encode-idx.ts";
import { temporaryFolder } from "../test/temporary-folder.ts";
import { decodeIdx, readIdx } from "./read-idx.ts";

const folder = temporaryFolder();
const images = encodeIdx([3, 4, 5], countingBytes([3, 4, 5]));

describe("decodeIdx()", () => {
  it("decodeIdx() gives back what was encoded, in every element type", () => {
    const types = fc.constantFrom<DType>("u8", "i8", "i16", "i32", "f32", "f64");
    const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });
    fc.assert(
      fc.property(types, shapes, fc.integer(), (dtype, shape, seed) => {
        const data = new DTYPES[dtype].array(sizeOf(shape));
        for (let i = 0; i < data.length; i++) data[i] = (seed ^ (i * 2_654_435_761)) as never;
        expect(decodeIdx(encodeIdx(shape, data, dtype))).toEqual(createTensor(dtype, shape, data));
      }),
    );
  });

  it("decodeIdx() leaves its argument as it is", () => {
    const bytes = encodeIdx([2], Int32Array.of(1, 2), "i32");
    const before = bytes.slice();
    decodeIdx(bytes);
    expect(bytes).toEqual(before);
  });

  it("decodeIdx() refuses every truncation, and bytes left over", () => {
    for (let length = 0; length < images.length; length++) {
      expect(() => decodeIdx(images.subarray(0, length))).toThrow(FormatError);
    }
    expect(() => decodeIdx(Uint8Array.of(...images, 0), "f")).toThrow(
      'Cannot read "f" as its header, u8 [3, 4, 5], makes 76 bytes: there are 77',
    );
  });

  it("decodeIdx() refuses what does not start like an IDX file", () => {
    expect(() => decodeIdx(Buffer.from("hello, world"), "f")).toThrow(/it starts with "68 65 6c 6c"$/);
    expect(() => decodeIdx(Uint8Array.of(0, 0, 7, 1, 0, 0, 0, 0))).toThrow(/an element type/);
  });
});

describe("readIdx()", () => {
  it("readIdx() reads plain and compressed files alike, whatever their names", async () => {
    const plain = await readIdx(folder.write("plain.gz", images));
    const compressed = await readIdx(folder.write("compressed", gzipSync(images)));
    expect(plain.shape).toEqual([3, 4, 5]);
    expect(new Uint8Array(compressed.data as Uint8Array)).toEqual(plain.data);
    expect(compressed.shape).toEqual(plain.shape);
  });

  it("readIdx() refuses a file that inflates to more than its header says", async () => {
    const bomb = gzipSync(encodeIdx([10], new Uint8Array(50_000_000)));
    await expect(readIdx(folder.write("bomb", bomb))).rejects.toThrow(/it inflates to more bytes$/);
  });

  it("readIdx() refuses a claim that the file cannot meet, before it inflates", async () => {
    const claim = gzipSync(encodeIdx([100_000, 1000, 1000], new Uint8Array(8)));
    await expect(readIdx(folder.write("claim", claim))).rejects.toThrow(/claims 100000000016 bytes/);
  });

  it("readIdx() refuses a file that inflates to fewer bytes than its header says", async () => {
    const short = gzipSync(encodeIdx([10], new Uint8Array(9)));
    await expect(readIdx(folder.write("short", short))).rejects.toThrow(/makes 18 bytes: there are 17$/);
  });

  it("readIdx() refuses every truncation of a compressed file", async () => {
    const whole = gzipSync(images);
    for (let length = 2; length < whole.length; length += 3) {
      await expect(readIdx(folder.write("truncated", whole.subarray(0, length)))).rejects.toThrow(
        FormatError,
      );
    }
  });

  it("readIdx() refuses a compressed file with a flipped bit in its content", async () => {
    const noise = Uint8Array.from({ length: 20_000 }, (_, i) => (i * i * 31) >> 3);
    const damaged = gzipSync(encodeIdx([20_000], noise));
    damaged[damaged.length >> 1]! ^= 4;
    await expect(readIdx(folder.write("damaged", damaged))).rejects.toThrow(FormatError);
  });

  it("readIdx() refuses files that are empty or missing, and folders", async () => {
    await expect(readIdx(folder.write("empty", ""))).rejects.toThrow(FormatError);
    await expect(readIdx(`${folder.path}/none`)).rejects.toThrow(InputError);
    await expect(readIdx(folder.path)).rejects.toThrow(InputError);
  });
});
