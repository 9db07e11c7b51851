import { createCheckpoint, createTensor } from "@isthmus/core";
import { linear, planMerge } from "@isthmus/merging";
import { describe, expect, test } from "vitest";
import { checkMerge } from "./check-merge.ts";
import { factsOfGguf, findOtherTokens } from "./gguf-facts.ts";

const TOKENS = Array.from({ length: 20 }, (_, i) => `token ${i}`);
const weight = createTensor("f32", [2, 4], Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8));
const ggufOf = (source: string, tokens: readonly string[], more: Readonly<Record<string, string>> = {}) =>
  createCheckpoint(
    { "blk.0.w": weight },
    { "general.architecture": "llama", "tokenizer.ggml.tokens": JSON.stringify(tokens), ...more },
    source,
  );

describe("findOtherTokens()", () => {
  test("finds nothing in networks of one tokenizer, or of none", () => {
    expect(findOtherTokens([ggufOf("a", TOKENS), ggufOf("b", TOKENS)])).toEqual([]);
    expect(findOtherTokens([ggufOf("a", TOKENS), createCheckpoint({ "blk.0.w": weight })])).toEqual([]);
  });

  test("warns of some tokens in other places, and calls a merge of other tokenizers meaningless", () => {
    const swapped = [...TOKENS.slice(0, 18), "token 19", "token 18"];
    const [finding] = findOtherTokens([ggufOf("a", TOKENS), ggufOf("b", swapped)]);
    expect(finding).toMatchObject({ kind: "vocabulary-order", severity: "warning", networks: [0, 1] });
    expect(finding?.message).toContain("give 10.0 % of ids to other tokens");
    const half = [...TOKENS.slice(0, 10), ...TOKENS.slice(10).toReversed()];
    for (const tokens of [TOKENS.toReversed(), half]) {
      const [others] = findOtherTokens([ggufOf("a", TOKENS), ggufOf("b", tokens)]);
      expect(others?.severity).toBe("error");
    }
  });
});

describe("checkMerge() of GGUF files", () => {
  const check = (...networks: Parameters<typeof planMerge>[0]) =>
    checkMerge(planMerge(networks, { method: linear }));

  test("compares architectures and tokenizers by their metadata", async () => {
    const gemma = ggufOf("g", TOKENS.toReversed(), { "general.architecture": "gemma" });
    const findings = await check(ggufOf("a", TOKENS), gemma);
    expect(findings.filter(({ severity }) => severity === "error").map(({ kind }) => kind)).toEqual([
      "model-types",
      "vocabulary-order",
    ]);
    expect(findings.filter(({ kind }) => kind === "model-types")).toMatchObject([
      { networks: [0, 1], message: expect.stringContaining("llama and gemma") },
    ]);
  });

  test("calls it meaningless to copy tensors into a model of another architecture", async () => {
    const networks = [ggufOf("a", TOKENS), ggufOf("g", TOKENS, { "general.architecture": "gemma" })] as const;
    const copied = { ...planMerge([networks[0]], { method: linear }), networks };
    expect(await checkMerge(copied)).toMatchObject([{ kind: "model-types", severity: "error" }]);
  });

  test("advises to align the models from which files were converted, as GGUF has no architecture to align by", async () => {
    const strangers = [1, 2].map((seed) => {
      const numbers = Float32Array.from({ length: 64 * 64 }, (_, i) => Math.sin(seed * 1e4 * (i + 1) ** 1.5));
      return createCheckpoint({ "blk.0.w": createTensor("f32", [64, 64], numbers) }, {}, `${seed}.gguf`);
    });
    const findings = await checkMerge(planMerge(strangers, { method: linear }));
    const apart = findings.find(({ kind }) => kind === "different-seed");
    expect(apart?.advice).toMatch(/^align the models from which the files were converted/);
  });

  test("tells adapters, which llama.cpp keeps in GGUF, too", async () => {
    const adapter = ggufOf("lora", TOKENS, { "general.type": "adapter" });
    expect(factsOfGguf(adapter)).toMatchObject({ adapter: true, modelType: "llama" });
    expect((await check(adapter, adapter))[0]).toMatchObject({ kind: "adapter", severity: "error" });
  });
});
