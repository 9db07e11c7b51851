import { describe, expect, it } from "vitest";
import { MismatchError } from "../errors.ts";
import { planShards } from "../save/safetensors-form.ts";
import { allocateData, type Tensor } from "../tensor/tensor.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { assertSameStructure, compareCheckpoints } from "./compare-checkpoints.ts";
import { createCheckpoint } from "./create-checkpoint.ts";
import { defineCheckpoint } from "./define-checkpoint.ts";

function zeros(...shape: number[]): Tensor {
  return { dtype: "f32", shape, data: new Float32Array(shape.reduce((size, extent) => size * extent, 1)) };
}

const counted: Tensor = { dtype: "i32", shape: [2, 3], data: Int32Array.of(0, 1, 2, 3, 4, 5) };

/** A checkpoint whose elements are computed: `begin, begin + 1, ...` */
function computed(inputs: readonly Checkpoint[] = []): Checkpoint {
  return defineCheckpoint({
    source: "computed",
    tensors: new Map([["n", { dtype: "i32", shape: [2, 3] }]]),
    inputs,
    files: ["own.bin", "shared.bin"],
    async readInto(_, begin, out) {
      for (let i = 0; i < out.length; i++) out[i] = begin + i;
    },
  });
}

describe("defineCheckpoint()", () => {
  it("reads whole tensors, ranges, and ranges into memory it is given", async () => {
    const checkpoint = computed();
    expect(await checkpoint.read("n")).toEqual(counted);
    expect(await checkpoint.readRange("n", 1, 4)).toEqual(Int32Array.of(1, 2, 3));
    expect(await checkpoint.readRange("n", 6, 6)).toEqual(new Int32Array(0));
    const out = new Int32Array(2);
    await checkpoint.readRangeInto("n", 4, out);
    expect(out).toEqual(Int32Array.of(4, 5));
    await checkpoint.close();
  });

  it("reports its files and those of its inputs, each once", () => {
    const input = defineCheckpoint({
      source: "input",
      tensors: new Map(),
      files: ["shared.bin", "input.bin"],
      readInto: async () => {},
    });
    expect(computed([input]).files).toEqual(["own.bin", "shared.bin", "input.bin"]);
  });

  it("refuses unknown names, ranges outside and arrays of the wrong class", async () => {
    const checkpoint = computed();
    await expect(checkpoint.read("m")).rejects.toThrow(MismatchError);
    await expect(checkpoint.read("m")).rejects.toThrow('it has "n"');
    await expect(checkpoint.readRange("n", 4, 7)).rejects.toThrow(RangeError);
    await expect(checkpoint.readRange("n", -1, 2)).rejects.toThrow(RangeError);
    await expect(checkpoint.readRange("n", 3, 2)).rejects.toThrow(RangeError);
    await expect(checkpoint.readRange("n", 0.5, 2)).rejects.toThrow(RangeError);
    await expect(checkpoint.readRangeInto("n", 0, new Float32Array(1))).rejects.toThrow(TypeError);
    await expect(checkpoint.readRangeInto("n", 5, new Int32Array(2))).rejects.toThrow(RangeError);
  });
});

describe("createCheckpoint()", () => {
  it("keeps order, metadata and the tensors themselves", async () => {
    const checkpoint = createCheckpoint(
      new Map([
        ["b", counted],
        ["a", zeros()],
      ]),
      { k: "v" },
      "here",
    );
    expect([...checkpoint.tensors.keys()]).toEqual(["b", "a"]);
    expect([checkpoint.metadata, checkpoint.source, checkpoint.files]).toEqual([{ k: "v" }, "here", []]);
    expect((await checkpoint.read("b")).data).toBe(counted.data);
    expect(await checkpoint.readRange("b", 2, 4)).toEqual(Int32Array.of(2, 3));
    await expect(checkpoint.read("c")).rejects.toThrow(MismatchError);
  });

  it("refuses arrays that do not fit", () => {
    expect(() => createCheckpoint({ a: { ...counted, shape: [5] } })).toThrow(RangeError);
    expect(() => createCheckpoint({ a: { ...counted, dtype: "f32" } })).toThrow(TypeError);
  });
});

describe("compareCheckpoints()", () => {
  const a = createCheckpoint({ same: zeros(2), shape: zeros(2, 3), dtype: counted, onlyA: zeros() }, {}, "a");
  const b = createCheckpoint(
    {
      dtype: { ...counted, dtype: "u32", data: new Uint32Array(6) },
      shape: zeros(3, 2),
      same: zeros(2),
      onlyB: zeros(),
    },
    {},
    "b",
  );

  it("lists what differs", () => {
    const { same, differences, message } = compareCheckpoints(a, b);
    expect(same).toBe(false);
    expect(differences.map(({ name, kind }) => [name, kind])).toEqual([
      ["shape", "shape"],
      ["dtype", "dtype"],
      ["onlyA", "missing"],
      ["onlyB", "missing"],
    ]);
    expect(message).toBe(
      '"shape" is [2, 3] and [3, 2]; "dtype" is i32 and u32; "onlyA" is only in "a"; "onlyB" is only in "b"',
    );
  });

  it("finds equal what has the same tensors in another order", () => {
    const reversed = createCheckpoint(
      new Map([
        ["y", zeros(1)],
        ["x", counted],
      ]),
    );
    expect(compareCheckpoints(createCheckpoint({ x: counted, y: zeros(1) }), reversed)).toEqual({
      same: true,
      differences: [],
      message: "",
    });
  });

  it("names five tensors and counts the rest", () => {
    const many = createCheckpoint(
      Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`t${i}`, zeros()])),
    );
    expect(compareCheckpoints(many, createCheckpoint({})).message).toMatch(/; and 3 more$/);
  });

  it("shows the beginning of a long name, without its line breaks", () => {
    const long = createCheckpoint({ [`a\n${"b".repeat(1e6)}`]: zeros() });
    const { message } = compareCheckpoints(createCheckpoint({}), long);
    expect(message).toMatch(/^"a\\nb{196}\.\.\. is only in/);
    expect(message.length).toBeLessThan(300);
  });

  it("is what assertSameStructure() throws, but for element types", () => {
    expect(() => assertSameStructure(a, b)).toThrow(MismatchError);
    try {
      assertSameStructure(a, b);
    } catch (error) {
      expect((error as MismatchError).parameters).toEqual(["shape", "onlyA", "onlyB"]);
    }
    const retyped = createCheckpoint({ x: { dtype: "f16", shape: [1], data: new Uint16Array(1) } });
    expect(() => assertSameStructure(createCheckpoint({ x: zeros(1) }), retyped)).not.toThrow();
  });
});

describe("allocateData()", () => {
  it("says what it cannot allocate", () => {
    expect(allocateData("bf16", 3)).toEqual(new Uint16Array(3));
    for (const length of [2 ** 50, Number.POSITIVE_INFINITY, -1]) {
      expect(() => allocateData("f32", length)).toThrow(RangeError);
      expect(() => allocateData("f32", length)).toThrow(
        /^Cannot allocate .* elements of f32 as they must fit the memory: /,
      );
    }
  });
});

describe("planShards()", () => {
  it("keeps order and starts a file when the next tensor does not fit", () => {
    const tensors = createCheckpoint({
      a: zeros(2),
      b: zeros(1),
      c: zeros(9),
      d: zeros(1),
      e: zeros(0),
    }).tensors;
    expect(planShards(tensors, 12).map((shard) => [...shard.keys()])).toEqual([
      ["a", "b"],
      ["c"],
      ["d", "e"],
    ]);
    expect(planShards(tensors, Number.POSITIVE_INFINITY)).toHaveLength(1);
    expect(planShards(new Map(), 1)).toEqual([new Map()]);
  });
});
