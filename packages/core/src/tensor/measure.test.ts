import { describe, expect, it } from "vitest";
import { dot, findNonFinite, innerProduct, squaredNorm } from "./measure.ts";
import { viewData } from "./tensor.ts";

describe("dot()", () => {
  it("adds in f64 what f32 would lose", () => {
    const a = { dtype: "f32", data: Float32Array.of(2 ** 13, 1, -(2 ** 13)) } as const;
    const b = { dtype: "f32", data: Float32Array.of(2 ** 13, 1, 2 ** 13) } as const;
    expect(dot(a, b)).toBe(1);
  });

  it("takes any element types, and none at all", () => {
    expect(
      dot(
        { dtype: "bf16", data: Uint16Array.of(0x3f80, 0x4000) },
        { dtype: "i64", data: BigInt64Array.of(3n, 4n) },
      ),
    ).toBe(11);
    expect(
      dot({ dtype: "f64", data: Float64Array.of(0.5) }, { dtype: "f32", data: Float32Array.of(3) }),
    ).toBe(1.5);
    expect(dot({ dtype: "f32", data: new Float32Array(0) }, { dtype: "f16", data: new Uint16Array(0) })).toBe(
      0,
    );
  });

  it("refuses unequal lengths", () => {
    expect(() =>
      dot({ dtype: "u8", data: new Uint8Array(1) }, { dtype: "u8", data: new Uint8Array(2) }),
    ).toThrow(RangeError);
  });
});

describe("innerProduct()", () => {
  it("is the scalar product of stored elements, of either class", () => {
    const [a, b] = [Float32Array.of(2 ** 13, 1, -(2 ** 13)), Float32Array.of(2 ** 13, 1, 2 ** 13)];
    expect(innerProduct(a, b)).toBe(1);
    expect(innerProduct(Float64Array.of(0.1, 0.2), Float64Array.of(3, 4))).toBe(
      dot({ dtype: "f64", data: Float64Array.of(0.1, 0.2) }, { dtype: "f64", data: Float64Array.of(3, 4) }),
    );
    expect(() => innerProduct(new Float32Array(1), new Float32Array(2))).toThrow(RangeError);
  });
});

describe("squaredNorm()", () => {
  it("is the sum of squares", () => {
    expect(squaredNorm({ dtype: "f16", data: Uint16Array.of(0x4200, 0xc400) })).toBe(25);
    expect(squaredNorm({ dtype: "i8", data: Int8Array.of(-3, 4) })).toBe(25);
  });
});

describe("findNonFinite()", () => {
  it("finds NaN and infinities in every floating-point type", () => {
    expect(findNonFinite({ dtype: "f64", data: Float64Array.of(1, Number.NaN) })).toBe(1);
    expect(findNonFinite({ dtype: "f64", data: Float64Array.of(1, -0, -Infinity) })).toBe(2);
    expect(findNonFinite({ dtype: "f64", data: Float64Array.of(1e308, -5e-324) })).toBe(-1);
    expect(findNonFinite({ dtype: "f32", data: Float32Array.of(1, 2, Number.NEGATIVE_INFINITY) })).toBe(2);
    expect(findNonFinite({ dtype: "f8e4m3", data: Uint8Array.of(0x7e, 0xff) })).toBe(1);
    expect(findNonFinite({ dtype: "f8e5m2", data: Uint8Array.of(0x7b, 0x7c) })).toBe(1);
    expect(findNonFinite({ dtype: "bf16", data: Uint16Array.of(0x7f7f, 0) })).toBe(-1);
  });

  it("finds none among integers", () => {
    expect(findNonFinite({ dtype: "i64", data: BigInt64Array.of(1n) })).toBe(-1);
    expect(findNonFinite({ dtype: "u16", data: viewData("u16", new Uint8Array(4).fill(255)) })).toBe(-1);
  });
});
