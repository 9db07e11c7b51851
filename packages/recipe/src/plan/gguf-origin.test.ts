import { createCheckpoint } from "@isthmus/core";
import { describe, expect, it } from "vitest";
import { describeGgufOrigin } from "./gguf-origin.ts";

const network = (metadata: Readonly<Record<string, string>>, source: string) =>
  createCheckpoint({}, metadata, source);

describe("describeGgufOrigin()", () => {
  const first = {
    "general.architecture": "llama",
    "general.name": "Alpha",
    "general.repo_url": "https://example.org/alpha",
    "general.uuid": "1",
    "general.base_model.count": "1",
    "general.base_model.0.name": "Origin",
    "general.license": "mit",
    "tokenizer.chat_template": "x",
    "llama.block_count": "2",
    "gguf.types": '{"general.base_model.count":"u32","llama.block_count":"u32"}',
  };

  it("names the networks as the bases of their merge, and keeps what describes the model", () => {
    const inputs = [network(first, "a.gguf"), network({}, "runs/beta.safetensors")];
    expect(describeGgufOrigin(first, inputs)).toEqual({
      "general.architecture": "llama",
      "general.license": "mit",
      "tokenizer.chat_template": "x",
      "llama.block_count": "2",
      "general.name": "Alpha + beta",
      "general.base_model.count": "2",
      "general.base_model.0.name": "Alpha",
      "general.base_model.0.repo_url": "https://example.org/alpha",
      "general.base_model.0.uuid": "1",
      "general.base_model.1.name": "beta",
      "gguf.types": '{"llama.block_count":"u32","general.base_model.count":"u32"}',
    });
  });

  it("shortens the name of a merge of many, and leaves metadata of other formats alone", () => {
    const inputs = Array.from({ length: 6 }, (_, i) => network({}, `n${i}.gguf`));
    expect(describeGgufOrigin(first, inputs)["general.name"]).toBe("n0 + n1 + n2 + n3 and 2 more");
    expect(describeGgufOrigin({ format: "pt" }, inputs)).toEqual({ format: "pt" });
  });
});
