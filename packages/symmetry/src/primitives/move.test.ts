import { describe, expect, test } from "vitest";
import { coordinate, type Field, type Labelled } from "../labels/field.ts";
import { LabelStore } from "../labels/label-store.ts";
import { insertAxes, removeAxes, reshape, take, transpose } from "./move.ts";

const free = (axes: readonly number[], data: Int32Array): Field => ({ frozen: false, axes, data });

describe("transpose()", () => {
  test("transpose() moves fields like data", () => {
    const data = Int32Array.of(0, 1, 2, 3, 4, 5);
    const input: Labelled = { shape: [2, 5, 3], fields: [free([0, 2], data)] };
    expect(transpose(input, [1, 2, 0])).toEqual({
      shape: [5, 3, 2],
      fields: [free([1, 2], Int32Array.of(0, 3, 1, 4, 2, 5))],
    });
  });
});

describe("reshape()", () => {
  test("reshape() splits an axis without spreading over others", () => {
    const store = new LabelStore();
    const a = store.create(6);
    const input: Labelled = { shape: [4, 6], fields: [coordinate(0, 4), free([1], a)] };
    expect(reshape(store, input, [4, 2, 3])).toEqual({
      shape: [4, 2, 3],
      fields: [free([1, 2], a), coordinate(0, 4)],
    });
  });

  test("reshape() joins axes: a label repeats, and fixed numbers stay beside it", () => {
    const store = new LabelStore();
    const [a = 0, b = 0] = store.create(2);
    const input: Labelled = { shape: [2, 3], fields: [free([0], Int32Array.of(a, b)), coordinate(1, 3)] };
    expect(reshape(store, input, [6])).toEqual({
      shape: [6],
      fields: [
        free([0], Int32Array.of(a, a, a, b, b, b)),
        { frozen: true, axes: [0], data: Int32Array.of(0, 1, 2, 0, 1, 2) },
      ],
    });
  });

  test("reshape() undoes itself", () => {
    const store = new LabelStore();
    const input: Labelled = { shape: [2, 3, 4], fields: [free([0, 2], store.create(8))] };
    const flat = reshape(store, input, [24]);
    expect(reshape(store, flat, [2, 3, 4])).toEqual(input);
  });

  test("reshape() leaves axes of extent 1 out of account", () => {
    const store = new LabelStore();
    const a = store.create(2);
    const input: Labelled = { shape: [1, 2, 1], fields: [free([1], a)] };
    expect(reshape(store, input, [2, 1, 1, 1])).toEqual({ shape: [2, 1, 1, 1], fields: [free([0], a)] });
  });
});

describe("take()", () => {
  test("take() marks what is taken and what is not", () => {
    const store = new LabelStore();
    const a = store.create(4);
    const result = take(store, { shape: [4], fields: [free([0], a)] }, 0, Int32Array.of(2, 0));
    expect(result).toEqual({ shape: [2], fields: [free([0], Int32Array.of(a[2] ?? 0, a[0] ?? 0))] });
    expect(store.markLow[0]).toBe(store.markLow[2]);
    expect(store.markLow[0]).not.toBe(store.markLow[1]);
  });

  test("take() marks nothing where all are taken equally often", () => {
    const store = new LabelStore();
    const a = store.create(3);
    take(store, { shape: [3], fields: [free([0], a)] }, 0, Int32Array.of(2, 1, 0, 0, 1, 2));
    expect([...store.markLow.subarray(0, 3)]).toEqual([0, 0, 0]);
  });

  test("take() marks what is taken when the field vanishes", () => {
    const store = new LabelStore();
    const a = store.create(3);
    expect(take(store, { shape: [3], fields: [free([0], a)] }, 0, Int32Array.of(1)).fields).toEqual([]);
    expect(store.markLow[1]).not.toBe(store.markLow[0]);
  });

  test("take() records which pairs of labels on one axis were taken", () => {
    const store = new LabelStore();
    const u = store.create(2);
    const v = store.create(2);
    const [u0 = 0, u1 = 0] = u;
    const [v0 = 0, v1 = 0] = v;
    const product: Labelled = {
      shape: [4],
      fields: [free([0], Int32Array.of(u0, u0, u1, u1)), free([0], Int32Array.of(v0, v1, v0, v1))],
    };
    const { fields } = take(store, product, 0, Int32Array.of(0, 3));
    expect(fields).toHaveLength(1);
    // The pairs (u0, v0) and (u1, v1) tie u to v.
    expect(store.classesOf(u)).toEqual(store.classesOf(v));
  });
});

describe("insertAxes()", () => {
  test("insertAxes() and removeAxes() undo each other", () => {
    const input: Labelled = { shape: [2, 3], fields: [free([0, 1], Int32Array.of(0, 1, 2, 3, 4, 5))] };
    const wide = insertAxes(input, [0, 2]);
    expect(wide.shape).toEqual([1, 2, 1, 3]);
    expect(wide.fields[0]?.axes).toEqual([1, 3]);
    expect(removeAxes(wide, [0, 2])).toEqual(input);
  });
});
