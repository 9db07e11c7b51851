import { type Checkpoint, createCheckpoint, createTensor } from "@isthmus/core";
import { describe, expect, it } from "vitest";
import { examineTiedWeights, untieWeights } from "./tied-weights.ts";
import { assertSameVocabularySize, findVocabularyAxes } from "./vocabulary-axes.ts";

function network(shapes: Readonly<Record<string, readonly number[]>>): Checkpoint {
  const tensors = Object.entries(shapes).map(([name, shape]) => {
    return [name, createTensor("f32", shape, new Float32Array(shape.reduce((a, b) => a * b, 1)))] as const;
  });
  return createCheckpoint(Object.fromEntries(tensors));
}

const LLAMA = {
  "model.embed_tokens.weight": [11, 4],
  "model.layers.0.mlp.up_proj.weight": [11, 4],
  "model.layers.0.self_attn.q_proj.weight": [4, 4],
  "model.norm.weight": [4],
  "lm_head.weight": [11, 4],
};

describe("findVocabularyAxes()", () => {
  it("finds embeddings and heads by name, though layers have the same size", () => {
    const config = { vocab_size: 11, hidden_size: 4, intermediate_size: 11 };
    expect([...findVocabularyAxes(network(LLAMA), { config })]).toEqual([
      ["model.embed_tokens.weight", 0],
      ["lm_head.weight", 0],
    ]);
  });

  it.each([
    [
      {
        "transformer.wte.weight": [11, 4],
        "transformer.wpe.weight": [11, 4],
        "transformer.h.0.attn.bias": [11],
      },
      [0],
    ],
    [{ "gpt_neox.embed_in.weight": [11, 4], "embed_out.weight": [11, 4] }, [0, 0]],
    [
      {
        "bert.embeddings.word_embeddings.weight": [11, 4],
        "cls.predictions.bias": [11],
        "cls.predictions.decoder.weight": [11, 4],
        "cls.predictions.transform.dense.weight": [4, 4],
        "bert.embeddings.position_embeddings.weight": [11, 4],
      },
      [0, 0, 0],
    ],
    [{ "shared.weight": [11, 4], final_logits_bias: [1, 11], "encoder.block.0.w": [11, 4] }, [0, 1]],
    [
      {
        "tok_embeddings.weight": [11, 4],
        "output.weight": [11, 4],
        "layers.0.attention.output.dense.weight": [11, 4],
      },
      [0, 0],
    ],
    [
      {
        "roberta.embeddings.word_embeddings.weight": [11, 4],
        "lm_head.bias": [11],
        "lm_head.dense.weight": [4, 4],
      },
      [0, 0],
    ],
    [{ "model.language_model.embed_tokens.weight": [11, 4], "model.visual.blocks.0.w": [11, 4] }, [0]],
    // No name that embeddings have, but a size that nothing else has.
    [{ "word.table": [11, 4], "prediction.table": [4, 11], "body.w": [4, 4] }, [0, 1]],
  ])("finds them in other architectures %#", (shapes, axes) => {
    const config = { text_config: { vocab_size: 11, hidden_size: 4 } };
    expect([...findVocabularyAxes(network(shapes), { config }).values()]).toEqual(axes);
  });

  it("asks where names and sizes do not settle it, and takes the answer", () => {
    const checkpoint = network({ "model.embed_tokens.weight": [4, 4], "projection.w": [4, 4] });
    const config = { vocab_size: 4, hidden_size: 4 };
    expect(() => findVocabularyAxes(checkpoint, { config })).toThrow(
      /as other sizes are 4 too: "projection.w"; say for each in "axes"/,
    );
    const find = (axis: number) => [
      ...findVocabularyAxes(checkpoint, { config, axes: { "projection.w": axis } }),
    ];
    expect(find(-1)).toEqual([["model.embed_tokens.weight", 0]]);
    expect(find(1)).toEqual([
      ["model.embed_tokens.weight", 0],
      ["projection.w", 1],
    ]);
    expect(() => find(2)).toThrow(/Cannot use axis 2 of "projection.w"/);
  });

  it("goes by the embedding itself where there is no config", () => {
    const { "model.layers.0.mlp.up_proj.weight": _, ...rest } = LLAMA;
    expect([...findVocabularyAxes(network(rest)).keys()]).toEqual([
      "model.embed_tokens.weight",
      "lm_head.weight",
    ]);
  });

  it("refuses an embedding of another size than the config says", () => {
    expect(() => findVocabularyAxes(network(LLAMA), { config: { vocab_size: 12 } })).toThrow(
      /as an axis must have vocab_size of config.json, 12: it is \[11, 4\]/,
    );
  });
});

describe("assertSameVocabularySize()", () => {
  it("says what to do where sizes differ", () => {
    const networks = [network(LLAMA), network({ ...LLAMA, "model.embed_tokens.weight": [12, 4] })];
    const axes = networks.map(() => new Map([["model.embed_tokens.weight", 0]]));
    expect(() => assertSameVocabularySize(networks, axes)).toThrow(
      /11 rows in .* and 12 in .*; add "tokenizer: \{source: union\}" \(or base\) to the recipe/,
    );
    expect(() => assertSameVocabularySize([network(LLAMA), network(LLAMA)], axes)).not.toThrow();
  });
});

describe("examineTiedWeights()", () => {
  const vector = (value: number) => createTensor("f32", [2, 1], Float32Array.of(1, value));
  const axes = new Map([
    ["embed_tokens.weight", 0],
    ["lm_head.weight", 0],
  ]);
  const both = (value: number) =>
    createCheckpoint({ "embed_tokens.weight": vector(2), "lm_head.weight": vector(value) });
  const examine = (checkpoint: Checkpoint, tied?: boolean) =>
    examineTiedWeights(checkpoint, axes, tied === undefined ? {} : { tie_word_embeddings: tied });

  it("tells equal, unequal, absent and separate heads apart", async () => {
    expect(await examine(both(2), true)).toMatchObject({ state: "equal", note: undefined });
    expect(await examine(both(3), false)).toMatchObject({ state: "apart", note: undefined });
    expect((await examine(both(3), true)).note).toMatch(
      /^"lm_head.weight" of .* differs from "embed_tokens.weight" though its config.json ties them/,
    );
    const single = createCheckpoint({ "embed_tokens.weight": vector(2) });
    expect(await examine(single, true)).toMatchObject({ state: "absent", note: undefined });
    expect((await examine(single, false)).note).toMatch(/has no output head though/);
  });

  it("is a head of its own after untieWeights()", async () => {
    const single = createCheckpoint({ "embed_tokens.weight": vector(2) });
    const untied = untieWeights(single, "embed_tokens.weight", "lm_head.weight");
    expect(await untied.read("lm_head.weight")).toEqual(await single.read("embed_tokens.weight"));
    expect(await examine(untied, false)).toMatchObject({ state: "apart" });
  });
});
