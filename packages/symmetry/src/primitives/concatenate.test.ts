import { describe, expect, test } from "vitest";
import { coordinate, type Field, type Labelled } from "../labels/field.ts";
import { LabelStore } from "../labels/label-store.ts";
import { concatenate } from "./concatenate.ts";

const free = (axes: readonly number[], data: Int32Array): Field => ({ frozen: false, axes, data });
const vector = (data: Int32Array): Labelled => ({ shape: [data.length], fields: [free([0], data)] });

describe("concatenate()", () => {
  test("concatenate() joins labels and tells inputs apart", () => {
    const store = new LabelStore();
    const a = store.create(2);
    const b = store.create(3);
    const result = concatenate(store, [vector(a), vector(b)], 0);
    expect(result).toEqual({ shape: [5], fields: [free([0], Int32Array.of(0, 1, 2, 3, 4))] });
    expect(store.markLow[0]).not.toBe(store.markLow[2]);
  });

  test("concatenate() gives fresh labels to what was there already", () => {
    const store = new LabelStore();
    const a = store.create(2);
    const result = concatenate(store, [vector(a), vector(a)], 0);
    expect([...(result.fields[0]?.data ?? [])]).toEqual([0, 1, 2, 3]);
    expect(store.functions).toEqual([{ child: Int32Array.of(2, 3), parent: a }]);
  });

  test("concatenate() keeps a uniform block interchangeable", () => {
    const store = new LabelStore();
    const a = store.create(2);
    concatenate(store, [vector(a), { shape: [2], fields: [] }], 0);
    expect(store.count).toBe(4);
    expect(store.markLow[2]).toBe(store.markLow[3]);
    expect(store.markLow[0]).not.toBe(store.markLow[2]);
  });

  test("concatenate() numbers fixed parts", () => {
    const store = new LabelStore();
    const uniform: Labelled = { shape: [2], fields: [] };
    const result = concatenate(store, [{ shape: [3], fields: [coordinate(0, 3)] }, uniform], 0);
    expect(result.fields).toEqual([{ frozen: true, axes: [0], data: Int32Array.of(0, 1, 2, 3, 3) }]);
  });

  test("concatenate() ties the other axes", () => {
    const store = new LabelStore();
    const a = store.create(3);
    const b = store.create(3);
    const row = (data: Int32Array): Labelled => ({ shape: [1, 3], fields: [free([1], data)] });
    const result = concatenate(store, [row(a), row(b)], 0);
    expect(store.classesOf(a)).toEqual(store.classesOf(b));
    expect(result.shape).toEqual([2, 3]);
  });

  test("concatenate() joins fields over the axis and others", () => {
    const store = new LabelStore();
    const a = store.create(4);
    const b = store.create(2);
    const result = concatenate(
      store,
      [
        { shape: [2, 2], fields: [free([0, 1], a)] },
        { shape: [2, 1], fields: [free([0], b)] },
      ],
      1,
    );
    expect(result).toEqual({ shape: [2, 3], fields: [free([0, 1], Int32Array.of(0, 1, 4, 2, 3, 5))] });
  });
});
