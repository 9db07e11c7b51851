import { describe, expect, it } from "vitest";
import { FormatError } from "../../errors.ts";
import { collectTensors } from "./collect-tensors.ts";
import { PickleDict, PickleTuple } from "./pickle/values.ts";
import { createTorchTensor, isContiguous, type TorchTensor } from "./tensors.ts";

const storage = { key: "0", dtype: "f32", bytes: 96 } as const;

function tensor(shape: readonly number[] = [2], strides: readonly number[] = [1], offset = 0): TorchTensor {
  return createTorchTensor(
    { storage, offset, shape: new PickleTuple(shape), strides: new PickleTuple(strides) },
    "test.pt",
  );
}

function dict(entries: Record<string, unknown>): PickleDict {
  const made = new PickleDict();
  for (const [key, value] of Object.entries(entries)) made.entries.set(key, value);
  return made;
}

function names(value: unknown): string[] {
  return [...collectTensors(value, "test.pt").keys()];
}

describe("collectTensors()", () => {
  it("names tensors by the keys on the way to them", () => {
    expect(
      names(
        dict({ a: tensor(), b: dict({ c: tensor(), d: [tensor(), new PickleTuple([tensor()])] }), e: 3 }),
      ),
    ).toEqual(["a", "b.c", "b.d.0", "b.d.1.0"]);
  });

  it("takes wrappers off, one within the other", () => {
    expect(names(dict({ epoch: 1, model: dict({ state_dict: dict({ w: tensor() }) }) }))).toEqual(["w"]);
    expect(names(dict({ state_dict: dict({ w: tensor() }), optimizer: dict({ state: tensor() }) }))).toEqual([
      "w",
    ]);
  });

  it("leaves out the state of a training beside the weights, but no tensor of a network", () => {
    const state = dict({ state: dict({ 0: dict({ exp_avg: tensor() }) }), param_groups: [] });
    for (const key of ["optimizer", "opt", "optim_state", "lr_scheduler", "rng_state"]) {
      const name = key === "optim_state" ? "optimizer_state" : key;
      expect(names(dict({ model: dict({ w: tensor() }), [name]: state }))).toEqual(["w"]);
    }
    expect(names(dict({ model: dict({ w: tensor() }), torch_rng: 1, rng_state: tensor() }))).toEqual(["w"]);
    const network = { "scaler.weight": tensor(), "random_features.weight": tensor(), opt: tensor() };
    expect(names(dict(network))).toEqual(Object.keys(network));
  });

  it("keeps the name of a wrapper that is not alone", () => {
    expect(names(dict({ model: dict({ w: tensor() }), ema: dict({ w: tensor() }) }))).toEqual([
      "model.w",
      "ema.w",
    ]);
    expect(names(dict({ model: tensor() }))).toEqual(["model"]);
  });

  it("finds none in what holds none", () => {
    expect(names(dict({ epoch: 1, list: [1, "a", null] }))).toEqual([]);
    expect(names(5)).toEqual([]);
  });

  it("refuses two tensors of one name", () => {
    const value = dict({ a: dict({ b: tensor() }), "a.b": tensor() });
    expect(() => names(value)).toThrow(/"a\.b" is there twice/);
  });

  it("refuses containers within themselves, and shared ones without end", () => {
    const loop: unknown[] = [];
    loop.push(loop);
    expect(() => names(dict({ x: loop, y: tensor() }))).toThrow(FormatError);
    let shared: unknown[] = [1];
    for (let i = 0; i < 40; i++) shared = [shared, shared];
    expect(() => names(dict({ x: shared, y: tensor() }))).toThrow(/entries, each time they occur/);
  });
});

describe("createTorchTensor()", () => {
  it("refuses elements outside the storage", () => {
    expect(() => tensor([25], [1])).toThrow(/takes 25 of storage "0", which has 24/);
    expect(() => tensor([2], [24])).toThrow(FormatError);
    expect(() => tensor([2], [1], 23)).toThrow(FormatError);
    expect(() => tensor([2 ** 53 - 1, 2 ** 53 - 1], [2 ** 53 - 1, 1])).toThrow(FormatError);
    expect(tensor([1], [2 ** 40], 23).offset).toBe(23);
    expect(tensor([0, 5], [1, 1], 99).shape).toEqual([0, 5]);
  });

  it("refuses parts that are not what they should be", () => {
    const bad = { storage, offset: 0, shape: new PickleTuple([1]), strides: new PickleTuple([1]) };
    for (const parts of [
      { ...bad, storage: "0" },
      { ...bad, offset: -1 },
      { ...bad, shape: [1] },
      { ...bad, shape: new PickleTuple([-1]) },
      { ...bad, shape: new PickleTuple([1.5]) },
      { ...bad, strides: new PickleTuple([1, 1]) },
      { ...bad, storage: { ...storage, dtype: undefined } },
    ]) {
      expect(() => createTorchTensor(parts, "test.pt")).toThrow(FormatError);
    }
  });

  it("refuses a tensor that repeats one element 100 GB long", () => {
    expect(() => tensor([25_000_000_000], [0])).toThrow(/repeats elements/);
    expect(tensor([1000, 1000], [0, 0]).shape).toEqual([1000, 1000]);
  });
});

describe("isContiguous()", () => {
  it("looks at strides of axes that have more than one element", () => {
    expect(isContiguous(tensor([2, 3], [3, 1]))).toBe(true);
    expect(isContiguous(tensor([2, 1, 3], [3, 99, 1]))).toBe(true);
    expect(isContiguous(tensor([], []))).toBe(true);
    expect(isContiguous(tensor([3, 2], [1, 3]))).toBe(false);
    expect(isContiguous(tensor([3, 0], [1, 3]))).toBe(true);
    expect(isContiguous(tensor([2], [0]))).toBe(false);
  });
});
