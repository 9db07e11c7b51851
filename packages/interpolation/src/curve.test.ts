import { type Checkpoint, createCheckpoint, type Tensor, toFloat64 } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CURVE_KINDS, type CurvePoints, createCurve, curveCoefficients } from "./curve.ts";
import { lerp } from "./lerp.ts";

const SIZE = 5;
const finite = fc.float({ noNaN: true, noDefaultInfinity: true, min: -4, max: 4 });
const vector = fc.array(finite, { minLength: SIZE, maxLength: SIZE });
const place = fc.double({ min: 0, max: 1, noNaN: true });
const curves = fc.array(vector, { minLength: 2, maxLength: 5 }).map((all) => all.map(pointOf));

function pointOf(values: readonly number[], counter = 0): Checkpoint {
  const tensors: Record<string, Tensor> = {
    w: { dtype: "f32", shape: [values.length], data: Float32Array.from(values) },
    steps: { dtype: "i64", shape: [], data: BigInt64Array.of(BigInt(counter)) },
  };
  return createCheckpoint(tensors, {}, `point ${counter}`);
}

const asPoints = (points: readonly Checkpoint[]) => points as unknown as CurvePoints;
const dataOf = async (checkpoint: Checkpoint, name = "w") => (await checkpoint.read(name)).data;
const floatsOf = async (checkpoint: Checkpoint) => toFloat64(await dataOf(checkpoint), "f32");

describe.each(CURVE_KINDS)("createCurve(%s)", (kind) => {
  it("ends at its ends, bit for bit", async () => {
    await fc.assert(
      fc.asyncProperty(curves, async (points) => {
        const curve = createCurve(kind, asPoints(points));
        expect(await dataOf(curve(0))).toEqual(await dataOf(points[0]!));
        expect(await dataOf(curve(1))).toEqual(await dataOf(points.at(-1)!));
        expect(await dataOf(curve(0.01), "steps")).toEqual(await dataOf(points[0]!, "steps"));
        expect(await dataOf(curve(0.99), "steps")).toEqual(await dataOf(points.at(-1)!, "steps"));
      }),
    );
  });

  it("stays where all points are one", async () => {
    await fc.assert(
      fc.asyncProperty(vector, fc.integer({ min: 2, max: 5 }), place, async (values, count, t) => {
        const point = pointOf(values);
        const curve = createCurve(kind, asPoints(Array.from({ length: count }, () => point)));
        expect(await dataOf(curve(t))).toEqual(await dataOf(point));
      }),
    );
  });

  it("is the line where the bends lie evenly on it", async () => {
    await fc.assert(
      fc.asyncProperty(vector, vector, fc.integer({ min: 0, max: 3 }), place, async (from, to, bends, t) => {
        const [a, b] = [pointOf(from), pointOf(to)];
        const inner = Array.from({ length: bends }, (_, k) => lerp(a, b, (k + 1) / (bends + 1)));
        const point = await floatsOf(createCurve(kind, [a, ...inner, b] as unknown as CurvePoints)(t));
        const line = await floatsOf(lerp(a, b, t));
        // A few roundings of values below 4 in f32 for every level of lines.
        point.forEach((x, i) => {
          expect(Math.abs(x - line[i]!)).toBeLessThan(4 * 2 ** -20);
        });
      }),
    );
  });

  it("is the sum of the points by their coefficients, which sum to 1", async () => {
    await fc.assert(
      fc.asyncProperty(curves, place, async (points, t) => {
        const coefficients = curveCoefficients(kind, points.length, t);
        expect(coefficients.reduce((sum, c) => sum + c, 0)).toBeCloseTo(1, 12);
        expect(coefficients.every((c) => c >= 0)).toBe(true);
        const values = await Promise.all(points.map(floatsOf));
        const got = await floatsOf(createCurve(kind, asPoints(points))(t));
        got.forEach((x, i) => {
          const sum = values.reduce((total, value, k) => total + coefficients[k]! * value[i]!, 0);
          expect(Math.abs(x - sum)).toBeLessThan(4 * 2 ** -20);
        });
      }),
    );
  });

  it("reads the same elements by range as at once", async () => {
    const points = [
      [1, 2, 3],
      [4, -5, 6],
      [0, 1, 0],
    ].map((values) => pointOf(values));
    const point = createCurve(kind, asPoints(points))(0.3);
    expect(await point.readRange("w", 1, 3)).toEqual((await dataOf(point)).slice(1, 3));
  });

  it("refuses a single point, and places outside [0, 1]", () => {
    const point = pointOf([1]);
    expect(() => createCurve(kind, [point] as unknown as CurvePoints)).toThrow(
      "Cannot draw a curve as it needs at least 2 points, its ends: got 1",
    );
    const curve = createCurve(kind, [point, point]);
    for (const t of [-0.1, 1.1, Number.NaN]) {
      const message = `Cannot follow a curve as t must be in [0, 1]: got ${t}`;
      expect(() => curve(t)).toThrow(message);
      expect(() => curveCoefficients(kind, 2, t)).toThrow(message);
    }
    for (const count of [1, 2.5, Number.NaN]) {
      expect(() => curveCoefficients(kind, count, 0.5)).toThrow(
        `needs at least 2 points, its ends: got ${count}`,
      );
    }
  });

  it("of points of 64-bit floats computes in them", async () => {
    const points = [0.1, 0.7, 0.3].map((x) =>
      createCheckpoint({ w: { dtype: "f64", shape: [1], data: Float64Array.of(x) } }),
    );
    const [got] = await dataOf(createCurve(kind, asPoints(points))(0.3));
    const coefficients = curveCoefficients(kind, 3, 0.3);
    expect(got).toBeCloseTo(coefficients[0]! * 0.1 + coefficients[1]! * 0.7 + coefficients[2]! * 0.3, 15);
  });

  it("leaves its points as they are", async () => {
    const values = [
      [1, 2],
      [4, -5],
      [0, 1],
      [7, 7],
    ];
    const points = values.map((each) => pointOf(each));
    await dataOf(createCurve(kind, asPoints(points))(0.3));
    expect(await Promise.all(points.map(async (point) => [...(await floatsOf(point))]))).toEqual(values);
  });
});

describe("curves", () => {
  it("have Bernstein's polynomials for coefficients, or two neighbours", () => {
    const t = 0.3;
    const bezier = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t ** 2 * (1 - t), t ** 3];
    expect(curveCoefficients("bezier", 4, t)).toEqual(bezier.map((c) => expect.closeTo(c, 14)));
    expect(curveCoefficients("chain", 4, 0.5)).toEqual([0, 0.5, 0.5, 0]);
  });

  it("pass through the bends of a chain, and lerp between them", async () => {
    const points = [[0], [8], [2]].map((values, k) => pointOf(values, k));
    const curve = createCurve("chain", asPoints(points));
    expect(await dataOf(curve(0.5))).toEqual(Float32Array.of(8));
    expect(await dataOf(curve(0.5), "steps")).toEqual(BigInt64Array.of(1n));
    expect(await dataOf(curve(0.75))).toEqual(await dataOf(lerp(points[1]!, points[2]!, 0.5)));
  });

  it("of Bezier are lines between lines, in 64 bits if one of their points is", async () => {
    await fc.assert(
      fc.asyncProperty(vector, vector, vector, place, async (x, y, z, t) => {
        const [a, b, c] = [pointOf(x), pointOf(y), pointOf(z)];
        const lines = lerp(lerp(a, b, t), lerp(b, c, t), t);
        expect(await dataOf(createCurve("bezier", [a, b, c])(t))).toEqual(await dataOf(lines));
      }),
    );
    const stored = (dtype: "f64" | "f32", data: Float64Array | Float32Array) =>
      createCheckpoint({ w: { dtype, shape: [1], data } });
    const [first, bend, last] = [
      stored("f64", Float64Array.of(0.1)),
      stored("f32", Float32Array.of(0.5)),
      stored("f64", Float64Array.of(0.3)),
    ];
    const [got] = await dataOf(createCurve("bezier", [first, bend, last])(0.3));
    expect(got).toBeCloseTo(0.49 * 0.1 + 0.42 * 0.5 + 0.09 * 0.3, 15);
  });

  it("of Bezier have integers of the nearer end, in the middle of the last, and say where they are", async () => {
    const points = [[0], [8], [2]].map((values, k) => pointOf(values, k));
    const middle = createCurve("bezier", asPoints(points))(0.5);
    expect(await dataOf(middle, "steps")).toEqual(BigInt64Array.of(2n));
    expect(middle.source).toBe("bezier(point 0, point 1, point 2, 0.5)");
  });

  it("are of known kinds, between networks of one structure", () => {
    const a = pointOf([1]);
    expect(() => curveCoefficients("spline" as "chain", 2, 0)).toThrow(
      "Cannot draw a curve as its kind must be",
    );
    expect(() => createCurve("spline" as "chain", [a, a])).toThrow(/one of bezier, chain: got "spline"/);
    expect(() => createCurve("bezier", [a, pointOf([1, 2])])(0.5)).toThrow(/"w" is \[1\] and \[2\]/);
  });
});
