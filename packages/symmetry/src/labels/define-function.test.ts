import { describe, expect, test } from "vitest";
import { defineFunction, partitionParents } from "./define-function.ts";
import { LabelStore } from "./label-store.ts";

const pick = (labels: Int32Array, ...indices: number[]): Int32Array =>
  Int32Array.from(indices, (i) => labels[i] ?? 0);

describe("defineFunction()", () => {
  test("defineFunction() unites parents that correspond one to one", () => {
    const store = new LabelStore();
    const child = store.create(4);
    const p = store.create(2);
    const q = store.create(2);
    defineFunction(store, child, pick(p, 0, 0, 1, 1));
    defineFunction(store, child, pick(q, 1, 1, 0, 0));
    expect(store.classOf(p[0] ?? 0)).toBe(store.classOf(q[1] ?? 0));
    expect(store.classOf(p[1] ?? 0)).toBe(store.classOf(q[0] ?? 0));
    expect(store.classOf(p[0] ?? 0)).not.toBe(store.classOf(p[1] ?? 0));
  });

  test("defineFunction() finds that finer parents determine coarser ones", () => {
    const store = new LabelStore();
    const child = store.create(4);
    const fine = store.create(4);
    const coarse = store.create(2);
    defineFunction(store, child, fine);
    defineFunction(store, child, pick(coarse, 0, 1, 0, 1));
    expect(store.functionsOn(fine).map((parents) => [...parents])).toEqual([[...pick(coarse, 0, 1, 0, 1)]]);
  });

  test("defineFunction() makes the common coarsening of two partitions, once", () => {
    const store = new LabelStore();
    const child = store.create(8);
    // Rows and columns of two separate squares.
    const p = store.create(4);
    const q = store.create(4);
    defineFunction(store, child, pick(p, 0, 0, 1, 1, 2, 2, 3, 3));
    const before = store.count;
    defineFunction(store, child, pick(q, 0, 1, 0, 1, 2, 3, 2, 3));
    expect(store.count).toBe(before + 2);
    const [ofP] = store.functionsOn(p);
    const [ofQ] = store.functionsOn(q);
    expect([...(ofP ?? [])]).toEqual([...(ofQ ?? [])]);
    const again = store.create(4);
    defineFunction(store, child, pick(again, 0, 1, 0, 1, 2, 3, 2, 3));
    expect(store.count).toBe(before + 2 + 4);
  });

  test("defineFunction() records nothing new for what is known, nor for what has nothing in common", () => {
    const store = new LabelStore();
    const child = store.create(4);
    const p = store.create(2);
    const q = store.create(2);
    defineFunction(store, child, pick(p, 0, 0, 1, 1));
    defineFunction(store, child, pick(p, 0, 0, 1, 1));
    expect(store.functions).toHaveLength(1);
    defineFunction(store, child, pick(q, 0, 1, 0, 1));
    expect(store.functions).toHaveLength(2);
    expect(store.count).toBe(8);
  });

  test("defineFunction() takes the first parent of a repeated child", () => {
    const store = new LabelStore();
    const child = store.create(2);
    const p = store.create(1);
    defineFunction(store, pick(child, 0, 1, 0), pick(p, 0, 0, 0));
    expect(store.functions[0]?.child).toEqual(child);
  });
});

describe("partitionParents()", () => {
  test("partitionParents() finds labels that already stand for the parts", () => {
    const store = new LabelStore();
    const child = store.create(4);
    const p = store.create(2);
    defineFunction(store, child, pick(p, 0, 0, 1, 1));
    expect(partitionParents(store, child, Int32Array.of(1, 1, 0, 0), 2)).toEqual(pick(p, 1, 0));
    expect(partitionParents(store, child, Int32Array.of(0, 1, 0, 1), 2)).toBeUndefined();
  });
});
