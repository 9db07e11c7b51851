import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { entry } from "../../invariant.ts";
import { GGUF_NUMBERS, ggufTypeOf } from "./gguf-types.ts";
import { quantizeRows } from "./kernels/quantize-rows.ts";

/** Digests of what the gguf package reads and llama.cpp writes, made by tools/golden/gguf-blocks.py. */
const golden: {
  readonly numbers: string;
  readonly read: Readonly<Record<string, string>>;
  readonly written: Readonly<Record<string, { readonly plain: string; readonly weighted: string }>>;
} = JSON.parse(
  readFileSync(
    fileURLToPath(new URL("../../../test-fixtures/formats/gguf-blocks.json.golden", import.meta.url)),
    "utf8",
  ),
);
const BLOCKS = 40;
const ROWS = 64;
const COLUMNS = 512;

/** Draws the bytes that the script draws. */
function bytesFrom(seed: number, count: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

const digest = (data: Float32Array | Uint8Array): string =>
  createHash("sha256")
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest("hex");

/** Places of the upper bytes of the 16-bit floats of a block; the first number for most types. */
const UPPER_BYTES: Readonly<Record<string, readonly number[]>> = {
  ...{ Q4_1: [1, 3], Q5_1: [1, 3], Q2_K: [81, 83], Q3_K: [109], Q4_K: [1, 3], Q5_K: [1, 3], Q6_K: [209] },
  ...{ TQ1_0: [53], TQ2_0: [65], IQ1_M: [55], MXFP4: [], NVFP4: [] },
};

/** Makes the rows that the script makes. */
function makeNumbers(): Float32Array {
  const drawn = bytesFrom(7, 4 * ROWS * COLUMNS);
  const x = new Float32Array(ROWS * COLUMNS);
  for (let i = 0; i < x.length; i++) {
    const sum = [0, 1, 2, 3].reduce((total, k) => total + (drawn[4 * i + k] ?? 0), 0);
    x[i] = ((sum - 510) / 128) * 2 ** ((Math.floor(i / COLUMNS) % 16) - 8);
  }
  const row = (index: number): Float32Array => x.subarray(index * COLUMNS, (index + 1) * COLUMNS);
  row(3).fill(0);
  row(4).fill(-0.25);
  // Halves are rounded to even, as by NumPy.
  row(5).forEach((value, i, out) => {
    const eights = value * 8;
    const below = Math.floor(eights);
    const isHalf = eights - below === 0.5;
    out[i] = (isHalf ? below + Math.abs(below % 2) : Math.round(eights)) / 8;
  });
  row(6).forEach((value, i, out) => {
    out[i] = Math.abs(value);
  });
  row(7).forEach((value, i, out) => {
    const other = row(8)[i] ?? 0;
    out[i] = Math.fround(value * Math.fround(other * other));
  });
  return x;
}

describe("blocks of GGUF", () => {
  it.each(Object.entries(golden.read))(
    "of %s are read bit for bit as by the gguf package",
    async (name, expected) => {
      const number = entry(GGUF_NUMBERS, name, "type");
      const { decoder, blockBytes, blockElements } = ggufTypeOf(number);
      const blocks = bytesFrom(number, BLOCKS * blockBytes);
      for (const place of UPPER_BYTES[name] ?? [1])
        for (let at = place; at < blocks.length; at += blockBytes) blocks[at] = (blocks[at] ?? 0) & 0xbb;
      const out = new Float32Array(BLOCKS * blockElements);
      const decode = await decoder?.();
      decode?.(blocks, out);
      expect(digest(out)).toBe(expected);
    },
  );

  const data = makeNumbers();
  const importance = Float32Array.from(bytesFrom(9, COLUMNS), (byte) => byte / 16);
  const quantize = (name: string, numbers: Float32Array, weights?: Float32Array): Uint8Array | undefined => {
    const number = entry(GGUF_NUMBERS, name, "type");
    const type = ggufTypeOf(number);
    return quantizeRows({ number, type, data: numbers, columns: COLUMNS, importance: weights });
  };

  it.each(Object.entries(golden.written))(
    "of %s are written bit for bit as by llama.cpp, also with importance",
    (name, { plain, weighted }) => {
      expect(digest(data)).toBe(golden.numbers);
      expect(digest(quantize(name, data) ?? new Uint8Array())).toBe(plain);
      expect(digest(quantize(name, data, importance) ?? new Uint8Array())).toBe(weighted);
    },
  );

  it.each(Object.keys(golden.written))("of %s are not written of numbers that scales cannot hold", (name) => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 1e30]) {
      const numbers = Float32Array.from(data);
      numbers[300] = value;
      expect(quantize(name, numbers)).toBeUndefined();
      expect(quantize(name, numbers, importance)).toBeUndefined();
    }
    expect(quantize(name, data)).toBeDefined();
  });
});
