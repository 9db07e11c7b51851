import { describe, expect, it } from "vitest";
import { comparisonResult } from "../../../test/comparison-result.ts";
import { blockOf, listBlocks, measureBlocks, shortenBlocks } from "./blocks.ts";

describe("blocks of tensors", () => {
  it.each([
    ["model.layers.10.mlp.up_proj.weight", "model.layers.10"],
    ["layer1.0.conv1.weight", "layer1.0"],
    ["conv1.weight", "conv1"],
    ["0.weight", "0"],
    ["scale", "scale"],
  ])("blockOf() of %s is %s", (name, block) => {
    expect(blockOf(name)).toBe(block);
  });

  it("listBlocks() counts layers by their numbers, embeddings first and heads last", () => {
    const names = ["lm_head.weight", "model.embed_tokens.weight", "model.layers.0.a", "model.layers.10.a"];
    const blocks = listBlocks([...names, "model.layers.0.b", "model.layers.2.a", "model.norm.weight"]);
    const layers = [0, 2, 10].map((layer) => `model.layers.${layer}`);
    expect(blocks).toEqual(["model.embed_tokens", ...layers, "model.norm", "lm_head"]);
    expect(shortenBlocks(blocks)).toEqual([
      ...["embed_tokens", "layers.0", "layers.2", "layers.10", "norm", "lm_head"],
    ]);
  });

  it("shortenBlocks() keeps names whole that would become alike", () => {
    expect(shortenBlocks(["a.h.0", "a.norm", "norm"])).toEqual(["a.h.0", "a.norm", "norm"]);
    expect(shortenBlocks(["h.0", "h.1"])).toEqual(["h.0", "h.1"]);
    expect(shortenBlocks(["vision.layers.0", "text.layers.0"])).toEqual(["vision.layers.0", "text.layers.0"]);
  });

  it("measureBlocks() takes the median of the tensors of a block, and leaves out what has no distance", () => {
    const [pair = expect.fail()] = comparisonResult().pairs;
    const tensor = (name: string, distance: number | null) => ({
      ...{ name, distance, cosine: null, kinship: null, sampled: 1 },
    });
    const tensors = [tensor("h.0.a", 3), tensor("h.0.b", 1), tensor("h.0.c", 0), tensor("h.1.a", null)];
    expect([...measureBlocks({ ...pair, tensors })]).toEqual([
      ["h.0", { tensors: 3, median: 1, low: 0, high: 3 }],
    ]);
    const even = measureBlocks({ ...pair, tensors: tensors.slice(0, 2) });
    expect(even.get("h.0")?.median).toBe(2);
  });
});
