import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MismatchError } from "../errors.ts";
import { createTensor, type Tensor, viewBytes } from "../tensor/tensor.ts";
import { createCheckpoint } from "./create-checkpoint.ts";
import { compareTensors, hashTensor, measureTensor } from "./describe-values.ts";

const of = (...values: number[]): Tensor => createTensor("f64", [values.length], Float64Array.from(values));
const one = (x: Tensor) => createCheckpoint({ x });
/** Longer than what is read at once. */
const LONG = 2 ** 18 + 77;

describe("measureTensor()", () => {
  it("measures as the definitions say, in one part or several", async () => {
    const numbers = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 50 });
    await fc.assert(
      fc.asyncProperty(numbers, fc.boolean(), async (some, isLong) => {
        const values = isLong
          ? Array.from({ length: LONG }, (_, i) => some[i % some.length]! + i / LONG)
          : some;
        const x = createTensor("f64", [values.length], Float64Array.from(values));
        const { min, max, mean, std, norm, zeros } = await measureTensor(one(x), "x");
        const average = values.reduce((sum, x) => sum + x, 0) / values.length;
        const variance = values.reduce((sum, x) => sum + (x - average) ** 2, 0) / values.length;
        expect(min).toBe(values.reduce((least, x) => Math.min(least, x)));
        expect(max).toBe(values.reduce((most, x) => Math.max(most, x)));
        expect(zeros).toBe(values.filter((x) => x === 0).length);
        expect(mean).toBeCloseTo(average, 8);
        expect(std).toBeCloseTo(Math.sqrt(variance), 8);
        const squares = values.reduce((sum, value) => sum + value * value, 0);
        expect(Math.abs(norm ** 2 - squares)).toBeLessThanOrEqual(1e-9 * squares);
      }),
      { numRuns: 20 },
    );
  });

  it("leaves numbers out that are not finite, and counts them", async () => {
    const values = of(Number.NaN, 3, Number.NEGATIVE_INFINITY, 0, 4);
    const measured = await measureTensor(one(values), "x");
    expect(measured).toMatchObject({ min: 0, max: 4, norm: 5, zeros: 1, nonFinite: 2 });
    expect(await measureTensor(one(of(Number.NaN)), "x")).toEqual({
      ...{ min: Number.NaN, max: Number.NaN, mean: Number.NaN, std: Number.NaN },
      ...{ norm: 0, zeros: 0, nonFinite: 1 },
    });
  });

  it("refuses a tensor that is not there", async () => {
    await expect(measureTensor(one(of(1)), "y")).rejects.toThrow(MismatchError);
    await expect(hashTensor(one(of(1)), "y")).rejects.toThrow(MismatchError);
    await expect(compareTensors(one(of(1)), createCheckpoint({}), "x")).rejects.toThrow(MismatchError);
  });
});

describe("hashTensor()", () => {
  it("is the SHA-256 of all bytes", async () => {
    const data = Uint16Array.from({ length: LONG }, (_, i) => i);
    const tensor = createTensor("bf16", [LONG], data);
    const expected = createHash("sha256").update(viewBytes(data)).digest("hex");
    expect(await hashTensor(one(tensor), "x")).toBe(expected);
    expect(await hashTensor(one(of()), "x")).toBe(createHash("sha256").digest("hex"));
  });
});

describe("compareTensors()", () => {
  it("measures the difference across element types", async () => {
    const bf16 = one(createTensor("bf16", [2], Uint16Array.of(0x4040, 0x4080)));
    expect(await compareTensors(one(of(3, 4)), bf16, "x")).toEqual({
      ...{ same: true, largest: 0, relative: 0, cosine: 1 },
    });
    expect(await compareTensors(one(of(3, 4)), one(of(-4, 3)), "x")).toMatchObject({
      ...{ same: false, largest: 7, cosine: 0 },
    });
    expect((await compareTensors(one(of(3, 4)), one(of(-4, 3)), "x")).relative).toBeCloseTo(Math.SQRT2, 12);
  });

  it("tells NaN from a number, infinities from each other, and zeros", async () => {
    const difference = await compareTensors(one(of(1, Number.NaN)), one(of(1, Number.NaN)), "x");
    expect(difference).toMatchObject({ same: false, largest: Number.NaN });
    const infinite = one(of(Number.POSITIVE_INFINITY, 1));
    expect(await compareTensors(infinite, infinite, "x")).toMatchObject({ same: true, largest: 0 });
    expect(await compareTensors(one(of(0)), one(of(0)), "x")).toMatchObject({
      same: true,
      cosine: Number.NaN,
    });
  });

  it("refuses shapes that differ", async () => {
    await expect(compareTensors(one(of(1)), one(of(1, 2)), "x")).rejects.toThrow(/they are \[1\] and \[2\]/);
  });
});
