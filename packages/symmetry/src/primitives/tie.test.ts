import { describe, expect, test } from "vitest";
import { coordinate, type Field, type Labelled } from "../labels/field.ts";
import { LabelStore } from "../labels/label-store.ts";
import { tie } from "./tie.ts";

const free = (axes: readonly number[], data: Int32Array): Field => ({ frozen: false, axes, data });
const vector = (data: Int32Array): Labelled => ({ shape: [data.length], fields: [free([0], data)] });

describe("tie()", () => {
  test("tie() unites labels that meet one to one", () => {
    const store = new LabelStore();
    const a = store.create(3);
    const b = store.create(3);
    const result = tie(store, [vector(a), vector(b)]);
    expect(store.classesOf(a)).toEqual(store.classesOf(b));
    expect(result.fields).toEqual([free([0], a)]);
  });

  test("tie() lets a scalar and a uniform tensor change nothing", () => {
    const store = new LabelStore();
    const a = store.create(3);
    const result = tie(store, [vector(a), { shape: [], fields: [] }, { shape: [3], fields: [] }]);
    expect(result).toEqual({ shape: [3], fields: [free([0], a)] });
    expect(store.links).toHaveLength(0);
  });

  test("tie() freezes labels that meet distinct fixed values", () => {
    const store = new LabelStore();
    const a = store.create(3);
    const result = tie(store, [vector(a), { shape: [3], fields: [coordinate(0, 3)] }]);
    expect(result.fields).toEqual([coordinate(0, 3)]);
    expect(new Set(store.markLow.subarray(0, 3)).size).toBe(3);
  });

  test("tie() marks labels by fixed values that repeat", () => {
    const store = new LabelStore();
    const a = store.create(4);
    const halves: Field = { frozen: true, axes: [0], data: Int32Array.of(0, 0, 1, 1) };
    tie(store, [vector(a), { shape: [4], fields: [halves] }]);
    expect(new Set(store.markLow.subarray(0, 4)).size).toBe(2);
  });

  test("tie() records that a finer label determines a coarser one", () => {
    const store = new LabelStore();
    const fine = store.create(4);
    const coarse = store.create(2);
    const repeated = Int32Array.of(coarse[0] ?? 0, coarse[1] ?? 0, coarse[0] ?? 0, coarse[1] ?? 0);
    const result = tie(store, [vector(repeated), vector(fine)]);
    expect(store.functions).toEqual([{ child: fine, parent: repeated }]);
    expect(result.fields).toEqual([free([0], fine)]);
  });

  test("tie() makes a label for each position where none is fine enough", () => {
    const store = new LabelStore();
    const p = store.create(2);
    const q = store.create(2);
    const [p0 = 0, p1 = 0] = p;
    const [q0 = 0, q1 = 0] = q;
    const result = tie(store, [vector(Int32Array.of(p0, p0, p1, p1)), vector(Int32Array.of(q0, q1, q0, q1))]);
    expect(store.count).toBe(8);
    expect(store.functions).toHaveLength(2);
    expect(result.fields).toEqual([free([0], Int32Array.of(4, 5, 6, 7))]);
  });

  test("tie() lets fields over two axes determine what lies on one of them, without a label for each pair", () => {
    const store = new LabelStore();
    const rows = store.create(6);
    const columns = store.create(6);
    const shared = store.create(3);
    const weight: Labelled = { shape: [2, 3, 3], fields: [free([0, 1], rows), free([0, 2], columns)] };
    const result = tie(store, [{ shape: [3, 1], fields: [free([0], shared)] }, weight]);
    expect(store.count).toBe(15);
    expect(result.fields).toEqual(weight.fields);
    expect(store.functions).toHaveLength(1);
  });

  test("tie() keeps axes that no field connects apart", () => {
    const store = new LabelStore();
    const a = store.create(2);
    const b = store.create(3);
    const result = tie(store, [{ shape: [2, 1], fields: [free([0], a)] }, vector(b)]);
    expect(result).toEqual({ shape: [2, 3], fields: [free([0], a), free([1], b)] });
  });
});
