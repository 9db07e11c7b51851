import { createCheckpoint, createTensor, type Tensor } from "@isthmus/core";
import { describe, expect, it } from "vitest";
import { applyAdapter } from "./apply-adapter.ts";
import { isGgufAdapter, openGgufAdapter } from "./gguf-adapter.ts";

const matrix = (rows: number, ...numbers: number[]): Tensor =>
  createTensor("f32", [rows, numbers.length / rows], Float32Array.from(numbers));
const METADATA = {
  "general.type": "adapter",
  "general.architecture": "llama",
  "adapter.type": "lora",
  "adapter.lora.alpha": "4",
};
const open = (
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = METADATA,
) => openGgufAdapter(createCheckpoint(tensors, metadata, "lora.gguf"));

const QUERY = {
  "blk.0.attn_q.weight.lora_a": matrix(2, 1, 0, 0, 0, 1, 1),
  "blk.0.attn_q.weight.lora_b": matrix(2, 1, 2, 3, 4),
};

describe("openGgufAdapter()", () => {
  it("is applied with the scale alpha / rank, also to the embedding, whose factors are stored the other way round", async () => {
    const base = createCheckpoint({
      "blk.0.attn_q.weight": matrix(2, 0, 0, 0, 0, 0, 0),
      "token_embd.weight": matrix(3, 0, 0, 0, 0, 0, 0),
      "blk.0.attn_norm.weight": createTensor("f32", [2], Float32Array.of(1, 1)),
    });
    const adapter = open({
      ...QUERY,
      "token_embd.weight.lora_a": matrix(3, 1, 2, 3),
      "token_embd.weight.lora_b": matrix(2, 10, 20),
      "blk.0.attn_norm.weight": createTensor("f32", [2], Float32Array.of(5, 6)),
    });
    const applied = applyAdapter(base, adapter);
    const numbersOf = async (name: string) => [...(await applied.read(name)).data];
    // B A = [[1, 2, 2], [3, 4, 4]], times 4 / 2.
    expect(await numbersOf("blk.0.attn_q.weight")).toEqual([2, 4, 4, 6, 8, 8]);
    // Its rank is 1.
    expect(await numbersOf("token_embd.weight")).toEqual([40, 80, 80, 160, 120, 240]);
    expect(await numbersOf("blk.0.attn_norm.weight")).toEqual([5, 6]);
  });

  it("has a scale of 1 if the numerator is 0 or missing", () => {
    const { "adapter.lora.alpha": _alpha, ...without } = METADATA;
    for (const metadata of [without, { ...METADATA, "adapter.lora.alpha": "0" }])
      expect([...open(QUERY, metadata).modules.values()].map(({ scale }) => scale)).toEqual([1]);
  });

  it("refuses other adapters, other tensors and half changes by name", () => {
    expect(isGgufAdapter({ metadata: METADATA })).toBe(true);
    expect(isGgufAdapter({ metadata: { "general.type": "model" } })).toBe(false);
    const { "blk.0.attn_q.weight.lora_a": a, "blk.0.attn_q.weight.lora_b": b } = QUERY;
    for (const [tensors, metadata, message] of [
      [QUERY, { ...METADATA, "adapter.type": "control" }, /its "adapter.type" is control/],
      [QUERY, { ...METADATA, "adapter.alora.invocation_tokens": "[1]" }, /active only after/],
      [QUERY, { ...METADATA, "adapter.lora.alpha": "NaN" }, /must be a finite number: it is NaN/],
      [{ "blk.0.attn_q.weight.lora_a": a }, METADATA, /must have both lora_A and lora_B/],
      [
        { "blk.0.attn_q.weight.lora_a": b, "blk.0.attn_q.weight.lora_b": a },
        METADATA,
        /must be \[rank, in\]/,
      ],
      [{ "blk.0.attn_q.weight": a }, METADATA, /"blk.0.attn_q.weight" is \[2,3\]/],
      [{ "w.weight.lora_a": createTensor("f32", [1, 1, 1], Float32Array.of(1)) }, METADATA, /is \[1,1,1\]/],
    ] as const)
      expect(() => open(tensors, metadata), String(message)).toThrow(message);
  });
});
