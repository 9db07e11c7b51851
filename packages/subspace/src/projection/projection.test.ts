import { createRandom } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createProjection } from "./create-projection.ts";
import { createDenseProjection } from "./dense.ts";
import { walshHadamardInPlace } from "./kernels/walsh-hadamard.ts";
import { PROJECTION_KINDS, type Projection } from "./projection.ts";

const normals = (length: number, seed: number) => {
  const random = createRandom(seed, "vector");
  return Float32Array.from({ length }, () => random.normal());
};
const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, i) => sum + value * (y[i] ?? 0), 0);
const norm = (x: Float32Array) => Math.sqrt(dot(x, x));
const product = (projection: Projection, z: Float32Array) => {
  const out = new Float32Array(projection.rows).fill(Number.NaN);
  projection.multiplyInto(z, out);
  return out;
};
const transposed = (projection: Projection, y: Float32Array) => {
  const out = new Float32Array(projection.columns).fill(Number.NaN);
  projection.multiplyTransposedInto(y, out);
  return out;
};
const columnsOf = (projection: Projection) =>
  Array.from({ length: projection.columns }, (_, j) =>
    product(
      projection,
      Float32Array.from({ length: projection.columns }, (_, i) => (i === j ? 1 : 0)),
    ),
  );
const shapes = fc
  .record({ rows: fc.integer({ min: 1, max: 700 }), share: fc.double({ min: 0, max: 1, noNaN: true }) })
  .map(({ rows, share }) => ({ rows, columns: 1 + Math.floor(share * (rows - 1)) }));

describe("walshHadamardInPlace()", () => {
  it("multiplies by the matrix of the signs (-1)^(bits that both numbers have)", () => {
    for (const length of [1, 2, 4, 8, 32, 64]) {
      const x = normals(length, length);
      const parity = (bits: number): number => (bits === 0 ? 1 : -parity(bits & (bits - 1)));
      const expected = Array.from(x, (_, i) => x.reduce((sum, value, j) => sum + parity(i & j) * value, 0));
      const got = x.slice();
      walshHadamardInPlace(got);
      for (const [i, value] of got.entries()) expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 4);
    }
  });
});

describe.each(PROJECTION_KINDS)("createProjection(%s)", (kind) => {
  it("has a transpose: <P z, y> = <z, P' y>", () => {
    fc.assert(
      fc.property(shapes, fc.nat(), (shape, seed) => {
        const projection = createProjection(kind, { ...shape, seed, label: "law" });
        const [z, y] = [normals(shape.columns, seed), normals(shape.rows, seed + 1)];
        const [forward, back] = [product(projection, z), transposed(projection, y)];
        const scale = norm(forward) * norm(y) + norm(z) * norm(back);
        expect(Math.abs(dot(forward, y) - dot(z, back))).toBeLessThan(1e-5 * scale);
      }),
      { numRuns: 50 },
    );
  });

  it("has nearly orthonormal columns", () => {
    const projection = createProjection(kind, { rows: 20_000, columns: 24, seed: 1, label: "law" });
    const columns = columnsOf(projection);
    columns.forEach((one, i) => {
      // A column of 141 signs, the sparse one, meets another in about one place.
      expect(norm(one)).toBeCloseTo(1, kind === "fastfood" ? 2 : 5);
      for (const other of columns.slice(i + 1)) expect(Math.abs(dot(one, other))).toBeLessThan(0.06);
    });
  });

  it("gives the same numbers for the same seed and label, others for others", () => {
    const draw = (seed: number, label: string) =>
      product(createProjection(kind, { rows: 90, columns: 7, seed, label }), normals(7, 0));
    expect(draw(3, "a")).toEqual(draw(3, "a"));
    expect(draw(3, "a")).not.toEqual(draw(4, "a"));
    expect(draw(3, "a")).not.toEqual(draw(3, "b"));
  });

  it("refuses no columns, and more columns than rows", () => {
    for (const columns of [0, -1, 11, 2.5, Number.NaN]) {
      expect(() => createProjection(kind, { rows: 10, columns, seed: 0, label: "" })).toThrow(
        /from 1 to 10 columns/,
      );
    }
  });
});

describe("createDenseProjection()", () => {
  it("gives the same products whether it is kept or made anew", () => {
    const shape = { rows: 300, columns: 9, seed: 5, label: "kept" };
    const [kept, anew] = [createDenseProjection(shape), createDenseProjection(shape, 0)];
    expect(product(anew, normals(9, 1))).toEqual(product(kept, normals(9, 1)));
    expect(transposed(anew, normals(300, 2))).toEqual(transposed(kept, normals(300, 2)));
  });
});

describe("createProjection()", () => {
  it("refuses a kind that there is not", () => {
    expect(() => createProjection("full" as never, { rows: 2, columns: 1, seed: 0, label: "" })).toThrow(
      /one of dense, sparse, fastfood: it is "full"/,
    );
  });
});
