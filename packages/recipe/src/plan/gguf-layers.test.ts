import { describe, expect, test } from "vitest";
import { countGgufLayers } from "./gguf-layers.ts";

const LLAMA = {
  "general.architecture": "llama",
  "llama.block_count": "2",
  "tokenizer.ggml.tokens": '["a","b"]',
  "gguf.types": '{"llama.block_count":"u32"}',
};
const layers = (count: number) => Array.from({ length: count }, (_, i) => `blk.${i}.attn_q.weight`);

describe("countGgufLayers()", () => {
  test("counts the layers of a stack, and leaves everything else as it was", () => {
    const stacked = countGgufLayers(LLAMA, ["token_embd.weight", ...layers(11)]);
    expect(stacked).toEqual({ ...LLAMA, "llama.block_count": "11" });
    expect(countGgufLayers(LLAMA, layers(2))).toBe(LLAMA);
    expect(countGgufLayers({ format: "pt" }, layers(3))).toEqual({ format: "pt" });
  });

  test("refuses a stack whose metadata have a value for each layer, such as numbers of heads", () => {
    const listed = { ...LLAMA, "llama.attention.head_count_kv": "[8,4]" };
    expect(countGgufLayers(listed, layers(2))).toBe(listed);
    expect(() => countGgufLayers(listed, layers(3))).toThrow(
      '"llama.attention.head_count_kv" has a value for each of 2 layers',
    );
  });
});
