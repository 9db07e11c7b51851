import { describe, expect, test } from "vitest";
import { coordinate, type Field, type Labelled } from "../labels/field.ts";
import { LabelStore } from "../labels/label-store.ts";
import { reduce } from "./reduce.ts";

const free = (axes: readonly number[], data: Int32Array): Field => ({ frozen: false, axes, data });

describe("reduce()", () => {
  test("reduce() drops fields on reduced axes and keeps others", () => {
    const store = new LabelStore();
    const a = store.create(2);
    const input: Labelled = { shape: [2, 3], fields: [free([0], a), coordinate(1, 3)] };
    expect(reduce(store, input, [1])).toEqual({ shape: [2, 1], fields: [free([0], a)] });
    expect(reduce(store, input, [0, 1])).toEqual({ shape: [1, 1], fields: [] });
  });

  test("reduce() gives each row a label that its elements determine", () => {
    const store = new LabelStore();
    const a = store.create(6);
    const input: Labelled = { shape: [2, 3], fields: [free([0, 1], a)] };
    const once = reduce(store, input, [1]);
    expect(once.fields).toEqual([free([0], Int32Array.of(6, 7))]);
    expect(store.functions).toEqual([{ child: a, parent: Int32Array.of(6, 6, 6, 7, 7, 7) }]);
    // The same rows again get the same labels.
    expect(reduce(store, input, [1])).toEqual(once);
    expect(store.count).toBe(8);
  });

  test("reduce() finds rows of the same labels uniform, whatever their order", () => {
    const store = new LabelStore();
    const [a = 0, b = 0] = store.create(2);
    const input: Labelled = { shape: [2, 2], fields: [free([0, 1], Int32Array.of(a, b, b, a))] };
    expect(reduce(store, input, [1]).fields).toEqual([]);
  });

  test("reduce() keeps rows apart that share a class but hold different labels", () => {
    const store = new LabelStore();
    const a = store.create(4);
    store.unite(a.slice(0, 2), a.slice(2, 4));
    const input: Labelled = { shape: [2, 2], fields: [free([0, 1], a)] };
    const { fields } = reduce(store, input, [1]);
    expect(fields).toHaveLength(1);
    expect(new Set(fields[0]?.data).size).toBe(2);
  });

  test("reduce() joins fields whose rows say more together than one by one", () => {
    const store = new LabelStore();
    const [a = 0, b = 0] = store.create(2);
    const u = store.create(2);
    // Both rows hold a and b, but paired with u the other way round: their sums differ.
    const input: Labelled = {
      shape: [2, 2],
      fields: [free([0, 1], Int32Array.of(a, b, b, a)), free([1], u)],
    };
    const { fields } = reduce(store, input, [1]);
    expect(fields).toHaveLength(1);
    expect(new Set(fields[0]?.data).size).toBe(2);
  });

  test("reduce() gives distinct numbers to distinct fixed rows", () => {
    const store = new LabelStore();
    const data = Int32Array.of(0, 1, 1, 0, 0, 0);
    const labels = store.create(3);
    const input: Labelled = {
      shape: [3, 2],
      fields: [{ frozen: true, axes: [0, 1], data }, free([0], labels)],
    };
    expect(reduce(store, input, [1]).fields).toEqual([
      free([0], labels),
      { frozen: true, axes: [0], data: Int32Array.of(0, 0, 1) },
    ]);
  });
});
