import {
  type Checkpoint,
  createCheckpoint,
  createTensor,
  type DType,
  MismatchError,
  type Tensor,
  UnsupportedError,
} from "@isthmus/core";
import { describe, expect, test } from "vitest";
import { createAdapter } from "./adapter.ts";
import { parseAdapterConfig } from "./adapter-config.ts";
import { applyAdapter } from "./apply-adapter.ts";

type Tensors = Readonly<Record<string, Tensor>>;

const matrix = (rows: readonly (readonly number[])[]) =>
  createTensor("f32", [rows.length, rows[0]?.length ?? 0], Float32Array.from(rows.flat()));
const vector = (...values: number[]) => createTensor("f32", [values.length], Float32Array.from(values));
const networkOf = (tensors: Tensors) => createCheckpoint(tensors, { note: "kept" }, "network");

/** An adapter whose scale is 1. */
function adapterOf(tensors: Tensors, settings = {}) {
  const config = parseAdapterConfig({ peft_type: "LORA", r: 1, lora_alpha: 1, ...settings }, "adapter");
  return createAdapter("adapter", createCheckpoint(tensors), config);
}

/** Adds 10 and 20 to the first row, 20 and 40 to the second. */
const CHANGE: Tensors = {
  "q.lora_A.weight": matrix([[10, 20]]),
  "q.lora_B.weight": matrix([[1], [2]]),
};
const WEIGHT = matrix([
  [1, 2],
  [3, 4],
]);

const valuesOf = async (checkpoint: Checkpoint, name: string) => [...(await checkpoint.read(name)).data];

const thrownBy = (make: () => unknown): unknown => {
  try {
    make();
  } catch (error) {
    return error;
  }
  return undefined;
};

describe("applyAdapter()", () => {
  test("adds the product of the matrices, as much of it as is told, and the change of the bias", async () => {
    const base = networkOf({ "q.weight": WEIGHT, "q.bias": vector(1, 1), other: vector(7) });
    const adapter = adapterOf({ ...CHANGE, "q.lora_B.bias": vector(2, 4) });
    const half = applyAdapter(base, adapter, { weight: 0.5 });
    expect(await valuesOf(half, "q.weight")).toEqual([6, 12, 13, 24]);
    expect(await valuesOf(half, "q.bias")).toEqual([2, 3]);
    expect(await valuesOf(half, "other")).toEqual([7]);
    expect(await valuesOf(applyAdapter(base, adapter), "q.weight")).toEqual([11, 22, 23, 44]);
    expect([half.source, half.metadata]).toEqual(["network with adapter", { note: "kept" }]);
  });

  test("changes what replaces a weight, by the shape of the replacement", async () => {
    const base = networkOf({ "q.weight": matrix([[1, 2]]), "q.bias": vector(1) });
    const adapter = adapterOf({ ...CHANGE, "q.modules_to_save.weight": WEIGHT });
    const applied = applyAdapter(base, adapter);
    expect(applied.tensors.get("q.weight")).toEqual({ dtype: "f32", shape: [2, 2] });
    expect(await valuesOf(applied, "q.weight")).toEqual([11, 22, 23, 44]);
  });

  test("has the element types of the network, and computes those of 64 bits in them", async () => {
    const stored = (dtype: DType, data: Tensor["data"]) => createTensor(dtype, [2, 1], data);
    const third = adapterOf({
      "q.lora_A.weight": createTensor("f64", [1, 1], Float64Array.of(1 / 3)),
      "q.lora_B.weight": matrix([[1], [2]]),
    });
    const double = networkOf({ "q.weight": stored("f64", Float64Array.of(0, 0)) });
    expect(await valuesOf(applyAdapter(double, third), "q.weight")).toEqual([1 / 3, 2 / 3]);
    const single = networkOf({ "q.weight": stored("f32", Float32Array.of(0, 0)) });
    expect(await valuesOf(applyAdapter(single, third), "q.weight")).toEqual([1 / 3, 2 / 3].map(Math.fround));
    const replaced = adapterOf({ w: createTensor("f64", [1], Float64Array.of(1 / 3)) });
    const applied = applyAdapter(networkOf({ w: createTensor("f64", [1], Float64Array.of(1)) }), replaced);
    expect(await valuesOf(applied, "w")).toEqual([1 / 3]);
  });

  test("reads the matrices of the last four modules once, if ranges are read in turn", async () => {
    const names = ["a", "b", "c", "d", "e"];
    const reads: string[] = [];
    const tensors = names.flatMap((name) => [
      [`${name}.lora_A.weight`, CHANGE["q.lora_A.weight"]] as const,
      [`${name}.lora_B.weight`, CHANGE["q.lora_B.weight"]] as const,
    ]);
    const checkpoint = createCheckpoint(Object.fromEntries(tensors) as Record<string, Tensor>);
    const counting: Checkpoint = {
      ...checkpoint,
      read(name) {
        reads.push(name[0] ?? "");
        return checkpoint.read(name);
      },
    };
    const config = parseAdapterConfig({ peft_type: "LORA", r: 1, lora_alpha: 1 }, "adapter");
    const base = networkOf(Object.fromEntries(names.map((name) => [`${name}.weight`, WEIGHT])));
    const applied = applyAdapter(base, createAdapter("adapter", counting, config));
    for (const name of ["a", "b", "c", "d", "a", "b", "c", "d", "e", "b", "a"]) {
      await applied.readRange(`${name}.weight`, 0, 2);
    }
    expect(reads.join("")).toBe("aabbccddeeaa");
  });

  test("refuses changes that do not fit, and learned lengths of transposed weights", () => {
    for (const [weight, shape] of [
      [matrix([[1, 2]]), "[1, 2]"],
      [matrix([[1], [2]]), "[2, 1]"],
    ] as const) {
      const error = thrownBy(() => applyAdapter(networkOf({ "q.weight": weight }), adapterOf(CHANGE)));
      expect(error).toBeInstanceOf(MismatchError);
      expect(error).toMatchObject({ parameters: ["q.weight"] });
      expect(String(error)).toContain(
        `Cannot apply adapter "adapter" to "network" as its change of "q.weight" is 2 x 2: the weight is ${shape}`,
      );
    }
    const lengths = { ...CHANGE, "q.lora_magnitude_vector": vector(1, 1) };
    const base = networkOf({ "q.weight": WEIGHT });
    const error = thrownBy(() => applyAdapter(base, adapterOf(lengths, { fan_in_fan_out: true })));
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(error).toMatchObject({ feature: "DoRA" });
    expect(String(error)).toContain(
      'Cannot apply adapter "adapter" as it has learned lengths (DoRA) of "q.weight", whose weight is stored transposed',
    );
  });

  test.each([true, false])(
    "turns changes of Conv1D alone, whatever fan_in_fan_out says of all: %s",
    async (isSaid) => {
      const base = networkOf({
        // As in GPT-2: [in, out] with a bias of its outputs; the square one is stored like its neighbour.
        "h.0.attn.c_attn.weight": createTensor("f32", [2, 3], new Float32Array(6)),
        "h.0.attn.c_attn.bias": vector(0, 0, 0),
        "h.0.attn.c_proj.weight": createTensor("f32", [2, 2], new Float32Array(4)),
        "h.0.attn.c_proj.bias": vector(0, 0),
        "lm_head.weight": createTensor("f32", [3, 2], new Float32Array(6)),
      });
      const [a, wide, narrow] = [matrix([[1, 2]]), matrix([[1], [10], [100]]), matrix([[1], [10]])];
      const changes = { "h.0.attn.c_attn": wide, "h.0.attn.c_proj": narrow, lm_head: wide };
      const tensors = Object.entries(changes).flatMap(([name, b]) => [
        [`${name}.lora_A.weight`, a] as const,
        [`${name}.lora_B.weight`, b] as const,
      ]);
      const adapted = applyAdapter(base, adapterOf(Object.fromEntries(tensors), { fan_in_fan_out: isSaid }));
      expect(await valuesOf(adapted, "h.0.attn.c_attn.weight")).toEqual([1, 10, 100, 2, 20, 200]);
      expect(await valuesOf(adapted, "h.0.attn.c_proj.weight")).toEqual([1, 10, 2, 20]);
      expect(await valuesOf(adapted, "lm_head.weight")).toEqual([1, 2, 10, 20, 100, 200]);
    },
  );

  test("refuses to change integers, before anything is read", () => {
    const integers = networkOf({ "q.weight": createTensor("i8", [2, 2], Int8Array.of(1, 2, 3, 4)) });
    const error = thrownBy(() => applyAdapter(integers, adapterOf(CHANGE)));
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(String(error)).toContain('must hold floating-point numbers: "q.weight" is i8');
  });
});
