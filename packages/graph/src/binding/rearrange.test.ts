import { createCheckpoint, sizeOf } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findRepeated, findSlice } from "./find-parts.ts";
import { RowFinder } from "./find-rows.ts";
import { placeBefore, rearrange, rearrangedShape, transpositions } from "./rearrange.ts";
import { TensorPool } from "./tensor-pool.ts";
import type { Rearrangement, WeightSource } from "./weight-source.ts";

/** Numbers that all differ, so that no part is found by chance. */
const numbers = (size: number, offset = 0): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => Math.sin((i + offset) * 1.37) + i + offset);

const tensor = (shape: readonly number[], offset = 0) =>
  ({ dtype: "f32", shape, data: numbers(sizeOf(shape), offset) }) as const;

const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });

/** A shape, and some steps that fit it. */
const rearrangements = shapes.chain((shape) =>
  fc.record({
    shape: fc.constant(shape),
    permutation: fc.shuffledSubarray([...shape.keys()], { minLength: shape.length }),
    axis: fc.nat({ max: shape.length - 1 }),
    cut: fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 3 })),
    repeat: fc.integer({ min: 1, max: 3 }),
    rows: fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 4 }),
  }),
);

describe("rearrange()", () => {
  test("moves every element where placeBefore() says it came from", () => {
    fc.assert(
      fc.property(rearrangements, ({ shape, permutation, axis, cut, repeat, rows }) => {
        const steps: Rearrangement[] = [{ kind: "transpose", permutation }];
        const turned = rearrangedShape(shape, steps);
        const extent = turned[axis] as number;
        const begin = Math.min(cut[0], extent - 1);
        const end = Math.min(extent, begin + 1 + cut[1]);
        steps.push({ kind: "slice", axis, begin, end });
        const [first = 1] = rearrangedShape(shape, steps);
        steps.push({ kind: "gather", indices: rows.map((row) => row % first) });
        const flat = rearrangedShape(shape, steps);
        steps.push({ kind: "reshape", shape: [1, sizeOf(flat)] });
        steps.push({ kind: "expand", shape: [repeat, sizeOf(flat)] });
        const values = numbers(sizeOf(shape));
        const result = rearrange({ values, shape }, steps);
        expect(result.shape).toEqual(rearrangedShape(shape, steps));
        expect(result.values).toEqual(
          Float32Array.from(result.values, (_, place) => values[placeBefore(shape, steps, place)] as number),
        );
      }),
    );
  });
});

describe("transpositions()", () => {
  test("lists all orders of axes that lead to a shape, but the one that moves nothing", () => {
    expect(transpositions([2, 3], [3, 2])).toEqual([[{ kind: "transpose", permutation: [1, 0] }]]);
    expect(transpositions([2, 3], [2, 3])).toEqual([]);
    expect(transpositions([4, 4], [4, 4])).toHaveLength(1);
    expect(transpositions([2, 3, 1], [3, 2])).toHaveLength(1);
    expect(transpositions([2, 3], [6])).toEqual([
      [
        { kind: "transpose", permutation: [1, 0] },
        { kind: "reshape", shape: [6] },
      ],
    ]);
    expect(transpositions([2, 3], [7])).toEqual([]);
    // A matrix cut into heads, which then stand first; and the way back.
    expect(transpositions([8, 3], [4, 3, 2])).toContainEqual([
      { kind: "reshape", shape: [4, 2, 3] },
      { kind: "transpose", permutation: [0, 2, 1] },
    ]);
    expect(transpositions([4, 3, 2], [3, 8])).toContainEqual([
      { kind: "transpose", permutation: [1, 0, 2] },
      { kind: "reshape", shape: [3, 8] },
    ]);
  });
});

/** What a source makes of the tensors. */
function made(
  tensors: Readonly<Record<string, ReturnType<typeof tensor>>>,
  source: WeightSource | undefined,
) {
  if (source?.kind === "tensor") {
    const { data, shape } = tensors[source.tensor] as ReturnType<typeof tensor>;
    return [...rearrange({ values: data, shape }, source.steps).values];
  }
  if (source?.kind === "concatenated")
    return source.parts.flatMap((part): number[] => made(tensors, part) ?? []);
  return undefined;
}

describe("findSlice()", () => {
  test("finds where in a larger tensor a part is, transposed or not", async () => {
    const tensors = { fused: tensor([9, 3]), other: tensor([9, 4], 50) };
    const pool = new TensorPool(createCheckpoint(tensors));
    const part = (tensors.fused.data as Float32Array).subarray(9, 18);
    const carried = { dtype: "f32", shape: [3, 3], values: part } as const;
    const source = await findSlice(pool, carried);
    expect(source?.steps).toEqual([{ kind: "slice", axis: 0, begin: 3, end: 6 }]);
    const turned = rearrange(carried, [{ kind: "transpose", permutation: [1, 0] }]);
    const transposed = await findSlice(pool, { ...turned, dtype: "f32" });
    expect(made(tensors, transposed)).toEqual([...turned.values]);
  });

  test("does not choose between two tensors, and finds no constants", async () => {
    const pool = new TensorPool(createCheckpoint({ a: tensor([5, 2]), b: tensor([5, 2]) }));
    expect(await findSlice(pool, { dtype: "f32", shape: [2, 2], values: numbers(4) })).toBeUndefined();
    const zeros = new TensorPool(createCheckpoint({ a: { ...tensor([5]), data: new Float32Array(5) } }));
    expect(await findSlice(zeros, { dtype: "f32", shape: [3], values: new Float32Array(3) })).toBeUndefined();
  });
});

describe("findRepeated()", () => {
  test("finds a tensor that is repeated along some axes", async () => {
    const tensors = { cls: tensor([1, 1, 5]) };
    const pool = new TensorPool(createCheckpoint(tensors));
    const values = Float32Array.from({ length: 15 }, (_, i) => tensors.cls.data[i % 5] as number);
    const source = await findRepeated(pool, { dtype: "f32", shape: [3, 1, 5], values });
    expect(made(tensors, source)).toEqual([...values]);
  });
});

describe("RowFinder", () => {
  test("puts together what an exporter sorted anew: matrices, and vectors joined to one", async () => {
    const tensors = {
      w: tensor([8, 3]),
      b1: tensor([8], 100),
      b2: tensor([8], 200),
    };
    const pool = new TensorPool(createCheckpoint(tensors));
    const order = [0, 3, 1, 2].flatMap((gate) => [2 * gate, 2 * gate + 1]);
    const rows = order.flatMap((row) => [...tensors.w.data.subarray(row * 3, row * 3 + 3)]);
    const matrix = await new RowFinder(pool).find({
      dtype: "f32",
      shape: [1, 8, 3],
      values: Float32Array.from(rows),
    });
    expect(made(tensors, matrix)).toEqual(rows);
    const biases = [tensors.b1, tensors.b2].flatMap(({ data }) => order.map((row) => data[row] as number));
    const vector = await new RowFinder(pool).find({
      dtype: "f32",
      shape: [1, 16],
      values: Float32Array.from(biases),
    });
    expect(made(tensors, vector)).toEqual(biases);
  });

  test("finds rows that were looked up in a table, in any order and as often as they were", async () => {
    const tensors = { table: tensor([9, 4]) };
    const pool = new TensorPool(createCheckpoint(tensors));
    const indices = Array.from({ length: 100 }, (_, i) => (i * i + 3 * i) % 9);
    const rows = indices.flatMap((row) => [...tensors.table.data.subarray(row * 4, row * 4 + 4)]);
    const source = await new RowFinder(pool).find({
      dtype: "f32",
      shape: [10, 10, 4],
      values: Float32Array.from(rows),
    });
    expect(made(tensors, source)).toEqual(rows);
  });

  test("finds rows along another axis than the last, as biases of relative positions by head", async () => {
    const tensors = { table: tensor([9, 4]) };
    const pool = new TensorPool(createCheckpoint(tensors));
    const indices = Array.from({ length: 100 }, (_, i) => (i * i + 3 * i) % 9);
    const byHead = [0, 1, 2, 3].flatMap((head) =>
      indices.map((row) => tensors.table.data[row * 4 + head] as number),
    );
    const carried = { dtype: "f32", shape: [1, 4, 10, 10], values: Float32Array.from(byHead) } as const;
    expect(made(tensors, await new RowFinder(pool).find(carried))).toEqual(byHead);
  });

  test("leaves alone what is in no tensor", async () => {
    const pool = new TensorPool(createCheckpoint({ w: tensor([4, 3]) }));
    const values = Float32Array.of(...tensor([4, 3]).data.subarray(0, 9), 1, 2, 3);
    expect(await new RowFinder(pool).find({ dtype: "f32", shape: [4, 3], values })).toBeUndefined();
  });
});
