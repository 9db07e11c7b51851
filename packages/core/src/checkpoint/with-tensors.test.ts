import { describe, expect, test } from "vitest";
import { createTensor } from "../tensor/tensor.ts";
import { createCheckpoint } from "./create-checkpoint.ts";
import { withTensors } from "./with-tensors.ts";

const f32 = (...values: number[]) => createTensor("f32", [values.length], new Float32Array(values));

describe("withTensors()", () => {
  const base = createCheckpoint(
    new Map([
      ["weight", createTensor("bf16", [2], new Uint16Array([0x3f80, 0x4000]))],
      ["num_batches_tracked", createTensor("i64", [], new BigInt64Array([7n]))],
    ]),
    { format: "pt" },
    "base",
  );

  test("converts what it replaces to the element type, and keeps the rest", async () => {
    const changed = withTensors(base, new Map([["weight", f32(3, -1)]]));
    expect([...changed.tensors]).toEqual([...base.tensors]);
    expect(changed.metadata).toEqual({ format: "pt" });
    expect((await changed.read("weight")).data).toEqual(new Uint16Array([0x4040, 0xbf80]));
    expect(await changed.read("num_batches_tracked")).toEqual(await base.read("num_batches_tracked"));
    expect(await changed.readRange("weight", 1, 2)).toEqual(new Uint16Array([0xbf80]));
  });

  test("refuses names and shapes that the checkpoint does not have", () => {
    expect(() => withTensors(base, new Map([["bias", f32(1)]]))).toThrow(
      'Cannot replace "bias" of "base" as there must be a tensor of that name: there is none',
    );
    expect(() => withTensors(base, new Map([["weight", f32(1)]]))).toThrow("[2] is not [1]");
  });
});
