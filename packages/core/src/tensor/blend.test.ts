import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { approachInto, blendInto, lerpInto } from "./blend.ts";
import { convertData, toFloat64 } from "./convert.ts";
import { DTYPES, type DType, type TensorData } from "./dtype.ts";
import type { Elements } from "./elements.ts";
import { allocateData } from "./tensor.ts";

const DTYPE_NAMES = Object.keys(DTYPES) as DType[];
const FLOATS = DTYPE_NAMES.filter((dtype) => DTYPES[dtype].float);

/** Arbitrary bits of an element type, NaN and infinities included. */
function elements(dtypes: readonly DType[], count: number): fc.Arbitrary<Elements[]> {
  return fc
    .record({
      dtype: fc.constantFrom(...dtypes),
      bytes: fc.array(fc.uint8Array({ minLength: 8 * 24, maxLength: 8 * 24 }), {
        minLength: count,
        maxLength: count,
      }),
    })
    .map(({ dtype, bytes }) =>
      bytes.map((part) => {
        // A bool is kept as 0 or 1.
        const filled = dtype === "bool" ? part.map((x) => x & 1) : part.slice();
        return { dtype, data: new DTYPES[dtype].array(filled.buffer, 0, 24) };
      }),
    );
}

function lerp(a: Elements, b: Elements, t: number, dtype: DType = a.dtype): TensorData {
  const out = allocateData(dtype, a.data.length);
  lerpInto(a, b, t, { dtype, data: out });
  return out;
}

function bits(data: TensorData): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex");
}

describe("lerpInto()", () => {
  it("gives the ends, bit for bit", () => {
    fc.assert(
      fc.property(elements(DTYPE_NAMES, 2), ([a, b]) => {
        expect(bits(lerp(a!, b!, 0))).toBe(bits(a!.data));
        expect(bits(lerp(a!, b!, 1))).toBe(bits(b!.data));
      }),
    );
  });

  it("keeps equal elements, bit for bit", () => {
    fc.assert(
      fc.property(elements(DTYPE_NAMES, 1), fc.double({ min: -2, max: 3, noNaN: true }), ([a], t) => {
        expect(bits(lerp(a!, { ...a!, data: a!.data.slice() }, t))).toBe(bits(a!.data));
      }),
    );
  });

  it("keeps a zero that is negative, beyond the ends too", () => {
    const zero: Elements = { dtype: "f32", data: Float32Array.of(-0) };
    for (const t of [-1, 0.3, 0.7, 1.5]) expect(lerp(zero, zero, t)).toEqual(Float32Array.of(-0));
  });

  it("swaps t and 1 - t when a and b are swapped", () => {
    fc.assert(
      fc.property(elements(FLOATS, 2), fc.integer({ min: 0, max: 64 }), ([a, b], k) => {
        fc.pre(k !== 32);
        expect(bits(lerp(a!, b!, k / 64))).toBe(bits(lerp(b!, a!, 1 - k / 64)));
      }),
    );
  });

  it("is within a unit in the last place of exact arithmetic, and between the ends", () => {
    const a: Elements = { dtype: "f32", data: Float32Array.from({ length: 500 }, (_, i) => Math.sin(i)) };
    const b: Elements = { dtype: "f32", data: Float32Array.from({ length: 500 }, (_, i) => Math.cos(3 * i)) };
    for (const t of [0.1, 0.25, 0.5, 0.75, 0.9]) {
      toFloat64(lerp(a, b, t), "f32").forEach((x, i) => {
        const [from, to] = [Number(a.data[i]), Number(b.data[i])];
        expect(Math.abs(x - (from + t * (to - from)))).toBeLessThan(2 ** -23);
        expect(x).toBeGreaterThanOrEqual(Math.min(from, to));
        expect(x).toBeLessThanOrEqual(Math.max(from, to));
      });
    }
  });

  it("mixes element types, in f64 where one of them is", () => {
    const a: Elements = { dtype: "bf16", data: Uint16Array.of(0x3f80) };
    const b: Elements = { dtype: "f64", data: Float64Array.of(1 + 2 ** -40) };
    expect(lerp(a, b, 0.5, "f64")).toEqual(Float64Array.of(1 + 2 ** -41));
    expect(lerp(a, { dtype: "f16", data: Uint16Array.of(0x4200) }, 0.5, "f32")).toEqual(Float32Array.of(2));
    expect(
      lerp({ dtype: "i64", data: BigInt64Array.of(10n) }, { dtype: "i64", data: BigInt64Array.of(13n) }, 0.5),
    ).toEqual(BigInt64Array.of(12n));
  });

  it("refuses unequal lengths and a t that is not finite", () => {
    const a: Elements = { dtype: "f32", data: new Float32Array(2) };
    const b: Elements = { dtype: "f32", data: new Float32Array(3) };
    expect(() => lerp(a, b, 0.5)).toThrow(RangeError);
    expect(() => lerp(a, a, Number.NaN)).toThrow(RangeError);
  });
});

describe("approachInto()", () => {
  const places = fc.array(fc.double({ min: -1, max: 2, noNaN: true }), { minLength: 4, maxLength: 4 });

  it("is one lerp after another, without rounding in between", () => {
    fc.assert(
      fc.property(elements(FLOATS, 4), places, (sources, shares) => {
        const { dtype } = sources[0]!;
        const wide: DType = dtype === "f64" ? "f64" : "f32";
        let mean: Elements = { dtype: wide, data: convertData(sources[0]!.data, dtype, wide) };
        for (const [k, source] of sources.entries()) {
          if (k > 0) mean = { dtype: wide, data: lerp(mean, source, shares[k]!, wide) };
        }
        const out = allocateData(dtype, 24);
        approachInto(sources, shares, { dtype, data: out });
        expect(bits(out)).toBe(bits(convertData(mean.data, wide, dtype)));
      }),
    );
  });

  it("keeps equal elements, bit for bit", () => {
    fc.assert(
      fc.property(elements(FLOATS, 1), places, ([a], shares) => {
        const out = allocateData(a!.dtype, 24);
        approachInto([a!, a!, a!, a!], shares, { dtype: a!.dtype, data: out });
        expect(bits(out)).toBe(bits(a!.data));
      }),
    );
  });

  it("refuses to average nothing, and places that are missing or not finite", () => {
    const a: Elements = { dtype: "f32", data: new Float32Array(2) };
    expect(() => approachInto([], [], a)).toThrow("at least one");
    expect(() => approachInto([a, a], [0], a)).toThrow("a finite place");
    expect(() => approachInto([a, a], [0, Number.NaN], a)).toThrow("a finite place");
  });
});

describe("blendInto()", () => {
  it("adds in order, in f32, and rounds once", () => {
    const sources = [1, 2 ** -24, 2 ** -24].map(
      (x): Elements => ({ dtype: "f32", data: Float32Array.of(x) }),
    );
    const out = new Float32Array(1);
    blendInto(sources, [1, 1, 1], { dtype: "f32", data: out });
    expect(out[0]).toBe(1);
    blendInto(sources.reverse(), [1, 1, 1], { dtype: "f32", data: out });
    expect(out[0]).toBe(1 + 2 ** -23);
  });

  it("is linear in the weights for what needs no rounding", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...FLOATS),
        fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 3, maxLength: 3 }),
        fc.array(fc.integer({ min: -1, max: 1 }), { minLength: 3, maxLength: 3 }),
        (dtype, values, weights) => {
          const sum = values.reduce((total, x, k) => total + x * (weights[k] ?? 0), 0);
          fc.pre(toFloat64(convertData(Float64Array.of(sum), "f64", dtype), dtype)[0] === sum);
          const sources = values.map(
            (x): Elements => ({ dtype, data: convertData(Float64Array.of(x, 2 * x), "f64", dtype) }),
          );
          const out = allocateData(dtype, 2);
          blendInto(sources, weights, { dtype, data: out });
          expect(toFloat64(out, dtype).map((x) => x + 0)).toEqual(
            Float64Array.of(sum, 2 * sum).map((x) => x + 0),
          );
        },
      ),
    );
  });

  it("equals a plain loop in f64 when a type asks for it", () => {
    const x = Float64Array.of(0.1, 0.2, -0);
    const out = new Float64Array(3);
    blendInto(
      [
        { dtype: "f64", data: x },
        { dtype: "f32", data: Float32Array.of(1, 2, 0) },
      ],
      [0.5, 0.25],
      { dtype: "f64", data: out },
    );
    expect(out).toEqual(x.map((v, i) => 0.5 * v + 0.25 * [1, 2, 0][i]!));
  });

  it("averages integers, to nearest even", () => {
    const sources = [3, 4].map((x): Elements => ({ dtype: "i32", data: Int32Array.of(x, x + 1) }));
    const out = new Int32Array(2);
    blendInto(sources, [0.5, 0.5], { dtype: "i32", data: out });
    expect(out).toEqual(Int32Array.of(4, 4));
  });

  it("refuses no tensors, a missing weight and unequal lengths", () => {
    const a: Elements = { dtype: "f32", data: new Float32Array(2) };
    const out: Elements = { dtype: "f32", data: new Float32Array(2) };
    expect(() => blendInto([], [], out)).toThrow(RangeError);
    expect(() => blendInto([a, a], [1], out)).toThrow(RangeError);
    expect(() => blendInto([a], [1], { dtype: "f32", data: new Float32Array(3) })).toThrow(RangeError);
    expect(() => blendInto([a], [1], { dtype: "bf16", data: new Float32Array(2) })).toThrow(TypeError);
  });
});
