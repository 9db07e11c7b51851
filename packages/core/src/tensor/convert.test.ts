import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  asFloat32,
  convertData,
  convertInto,
  fromFloat32Into,
  fromFloat64Into,
  toFloat32,
  toFloat32Into,
  toFloat64,
} from "./convert.ts";
import { DTYPES, type DType } from "./dtype.ts";
import type { NarrowFloat } from "./kernels/float-bits.ts";
import { allocateData } from "./tensor.ts";

interface Golden {
  readonly lows: readonly number[];
  readonly types: Record<
    NarrowFloat,
    { readonly widened: string; readonly narrowed: string; readonly spots: ReadonlyArray<[number, number]> }
  >;
}

const golden: Golden = JSON.parse(
  readFileSync(new URL("../../test-fixtures/conversions.json.golden", import.meta.url), "utf8"),
);
const NARROW = Object.keys(golden.types) as NarrowFloat[];
const NAN: Record<NarrowFloat, number> = { f16: 0x7e00, bf16: 0x7fc0, f8e4m3: 0x7f, f8e5m2: 0x7e };

function allPatterns(dtype: NarrowFloat): Uint16Array | Uint8Array {
  const patterns = Uint16Array.from({ length: 2 ** (8 * DTYPES[dtype].bytes) }, (_, i) => i);
  return DTYPES[dtype].bytes === 2 ? patterns : Uint8Array.from(patterns);
}

function digest(data: NodeJS.ArrayBufferView): string {
  return createHash("sha256").update(data).digest("hex");
}

/** Finite values of a type in rising order, with their patterns. */
function finiteValues(dtype: NarrowFloat): { x: number; pattern: number }[] {
  const patterns = allPatterns(dtype);
  return [...toFloat64(patterns, dtype)]
    .map((x, i) => ({ x, pattern: patterns[i] ?? 0 }))
    .filter(({ x, pattern }) => Number.isFinite(x) && !(x === 0 && pattern !== 0))
    .sort((a, b) => a.x - b.x);
}

/** Rounds by search among all values: the definition of round to nearest even. */
function roundBySearch(x: number, dtype: NarrowFloat, values: { x: number; pattern: number }[]): number {
  let [next, end] = [0, values.length];
  while (next < end) {
    const middle = (next + end) >> 1;
    if ((values[middle]?.x ?? Number.NaN) >= x) end = middle;
    else next = middle + 1;
  }
  const above = values[next];
  const below = values[next - 1];
  if (!above || !below)
    throw new RangeError(`Cannot round ${x} to ${dtype} as the test stays within its range`);
  const [up, down] = [above.x - x, x - below.x];
  if (up !== down) return up < down ? above.pattern : below.pattern;
  return above.pattern % 2 === 0 ? above.pattern : below.pattern;
}

describe("toFloat32()", () => {
  it.each(NARROW)("widens all patterns of %s as PyTorch does", (dtype) => {
    const wide = toFloat32(allPatterns(dtype), dtype);
    const bits = new Uint32Array(wide.buffer);
    wide.forEach((x, i) => {
      if (Number.isNaN(x)) bits[i] = 0x7fc00000;
    });
    expect(digest(bits)).toBe(golden.types[dtype].widened);
  });

  it("converts integers and bool by value", () => {
    expect(toFloat32(BigInt64Array.of(-3n, 2n ** 53n), "i64")).toEqual(Float32Array.of(-3, 2 ** 53));
    expect(toFloat32(Uint8Array.of(0, 1), "bool")).toEqual(Float32Array.of(0, 1));
    expect(toFloat32(Int8Array.of(-128), "i8")).toEqual(Float32Array.of(-128));
  });

  it("rounds 64-bit integers once", () => {
    // Just above the middle of two f32, by less than f64 can tell.
    const above = 2n ** 60n + 2n ** 36n + 1n;
    expect(toFloat32(BigInt64Array.of(above, -above), "i64")).toEqual(
      Float32Array.of(2 ** 60 + 2 ** 37, -(2 ** 60) - 2 ** 37),
    );
    expect(toFloat32(BigUint64Array.of(2n ** 64n - 1n), "u64")).toEqual(Float32Array.of(2 ** 64));
  });

  it("copies f32, where asFloat32() does not", () => {
    const data = Float32Array.of(1, 2);
    expect(toFloat32(data, "f32")).not.toBe(data);
    expect(asFloat32(data, "f32")).toBe(data);
    expect(asFloat32(Uint16Array.of(0x3f80), "bf16")).toEqual(Float32Array.of(1));
  });

  it("refuses an array that is not of the element type, and unequal lengths", () => {
    expect(() => toFloat32(new Uint8Array(2), "bf16")).toThrow(TypeError);
    expect(() => toFloat32Into(new Uint16Array(2), "bf16", new Float32Array(3))).toThrow(RangeError);
  });
});

describe("fromFloat32Into()", () => {
  const values = new Uint32Array(65536 * golden.lows.length);
  for (let high = 0, i = 0; high < 65536; high++) {
    for (const low of golden.lows) values[i++] = ((high << 16) | low) >>> 0;
  }
  const source = new Float32Array(values.buffer);

  it.each(NARROW)("rounds every tie of %s and its neighbours as PyTorch does", (dtype) => {
    const out = allocateData(dtype, source.length) as Uint16Array;
    fromFloat32Into(source, dtype, out);
    const wide = toFloat32(out, dtype);
    wide.forEach((x, i) => {
      if (Number.isNaN(x)) out[i] = NAN[dtype];
    });
    expect(digest(out)).toBe(golden.types[dtype].narrowed);
  });

  it.each(NARROW)("rounds single values to %s as PyTorch does", (dtype) => {
    for (const [x, pattern] of golden.types[dtype].spots) {
      expect([x, fromFloat32Into(Float32Array.of(x), dtype, allocateData(dtype, 1))[0]]).toEqual([
        x,
        pattern,
      ]);
    }
  });

  it.each(NARROW)("gives back every pattern of %s, NaN payloads included", (dtype) => {
    const patterns = allPatterns(dtype);
    expect(convertData(toFloat32(patterns, dtype), "f32", dtype)).toEqual(patterns);
  });
});

describe("fromFloat64Into()", () => {
  it.each(NARROW)("rounds once to %s: next to a tie by less than f32 can tell", (dtype) => {
    const values = finiteValues(dtype);
    const step = Math.ceil(values.length / 4000);
    const inputs: number[] = [];
    for (let i = 0; i + 1 < values.length; i += step) {
      const middle = ((values[i]?.x ?? 0) + (values[i + 1]?.x ?? 0)) / 2;
      inputs.push(middle, middle * (1 + 2 ** -50), middle * (1 - 2 ** -50));
    }
    const out = fromFloat64Into(Float64Array.from(inputs), dtype, allocateData(dtype, inputs.length));
    const wrong = inputs.flatMap((x, i) => {
      const wanted = roundBySearch(x, dtype, values);
      // Zero is listed once, as +0.
      const got = Number(out[i]) & ~(wanted === 0 ? 0x8080 : 0);
      return got === wanted ? [] : [{ x, got, wanted }];
    });
    expect(wrong).toEqual([]);
  });

  it("gives infinity beyond the range, and the largest number where the type has none", () => {
    const huge = Float64Array.of(1e300, -1e300, Number.POSITIVE_INFINITY, Number.NaN);
    expect(fromFloat64Into(huge, "f16", new Uint16Array(4))).toEqual(
      Uint16Array.of(0x7c00, 0xfc00, 0x7c00, 0x7e00),
    );
    expect(fromFloat64Into(huge, "bf16", new Uint16Array(4))).toEqual(
      Uint16Array.of(0x7f80, 0xff80, 0x7f80, 0x7fc0),
    );
    expect(fromFloat64Into(huge, "f8e4m3", new Uint8Array(4))).toEqual(Uint8Array.of(0x7e, 0xfe, 0x7e, 0x7f));
    expect(fromFloat64Into(huge, "f8e5m2", new Uint8Array(4))).toEqual(Uint8Array.of(0x7c, 0xfc, 0x7c, 0x7e));
  });

  it("rounds to integers to nearest even, within their range", () => {
    const x = Float64Array.of(0.5, 1.5, -0.5, -2.5, 300, -300, Number.NaN, 1e30);
    expect(fromFloat64Into(x, "i8", new Int8Array(8))).toEqual(Int8Array.of(0, 2, 0, -2, 127, -128, 0, 127));
    expect(fromFloat64Into(x, "u8", new Uint8Array(8))).toEqual(Uint8Array.of(0, 2, 0, 0, 255, 0, 0, 255));
    expect(fromFloat64Into(x, "i64", new BigInt64Array(8))).toEqual(
      BigInt64Array.of(0n, 2n, 0n, -2n, 300n, -300n, 0n, 2n ** 63n - 1n),
    );
    expect(fromFloat64Into(x, "bool", new Uint8Array(8))).toEqual(Uint8Array.of(1, 1, 1, 1, 1, 1, 1, 1));
  });
});

describe("convertInto()", () => {
  const dtypes = Object.keys(DTYPES) as DType[];

  it("is the identity between equal types, for sub-arrays too", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...dtypes),
        fc.uint8Array({ minLength: 24, maxLength: 64 }),
        (dtype, bytes) => {
          const { array, bytes: width } = DTYPES[dtype];
          const data = new array(bytes.slice().buffer, width, 2);
          const out = allocateData(dtype, 2);
          convertInto({ data, dtype }, { data: out, dtype });
          expect(new Uint8Array(out.buffer)).toEqual(bytes.slice(width, 3 * width));
        },
      ),
    );
  });

  it("keeps small integers between any two types", () => {
    for (const from of dtypes) {
      for (const to of dtypes) {
        const numbers = Float64Array.of(0, 1, 1, 0, 1);
        const data = fromFloat64Into(numbers, from, allocateData(from, 5));
        expect([from, to, toFloat64(convertData(data, from, to), to)]).toEqual([from, to, numbers]);
      }
    }
  });

  it("keeps 64-bit integers beyond 2^53", () => {
    const x = BigInt64Array.of(2n ** 62n + 1n, -5n);
    expect(convertData(x, "i64", "u64")).toEqual(BigUint64Array.of(2n ** 62n + 1n, 0n));
    expect(convertData(BigUint64Array.of(2n ** 64n - 1n), "u64", "i64")).toEqual(
      BigInt64Array.of(2n ** 63n - 1n),
    );
  });

  it("accepts empty arrays", () => {
    expect(convertData(new Uint16Array(0), "f16", "f64")).toEqual(new Float64Array(0));
  });
});
