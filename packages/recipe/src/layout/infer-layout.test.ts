import { createCheckpoint, createTensor } from "@isthmus/core";
import { describe, expect, test } from "vitest";
import { inferLayout } from "./infer-layout.ts";
import { findModule, inferModules, isBeforeLayers } from "./modules.ts";

const tensor = createTensor("f32", [1], Float32Array.of(0));
const networkOf = (names: readonly string[]) =>
  createCheckpoint(new Map(names.map((name) => [name, tensor])));
const layers = (prefix: string, count: number, rests: readonly string[]) =>
  Array.from({ length: count }, (_, i) => rests.map((rest) => `${prefix}${i}.${rest}`)).flat();

/** Names of tensors as models of each kind have them. */
const KINDS = {
  llama: [
    "model.embed_tokens.weight",
    ...layers("model.layers.", 3, ["mlp.up_proj.weight"]),
    "lm_head.weight",
  ],
  gpt2: [
    "wte.weight",
    "wpe.weight",
    ...layers("h.", 12, ["attn.c_attn.weight", "mlp.c_fc.bias"]),
    "ln_f.weight",
  ],
  bert: [
    "embeddings.word_embeddings.weight",
    ...layers("encoder.layer.", 4, ["output.dense.bias"]),
    "pooler.dense.weight",
  ],
  mixtral: layers("model.layers.", 2, [
    "block_sparse_moe.experts.0.w1.weight",
    "block_sparse_moe.experts.1.w1.weight",
  ]),
  hybrid: [...layers("backbone.layers.", 1, ["mixer.A_log"]), "backbone.layers.1.self_attn.q_proj.weight"],
  gguf: ["token_embd.weight", ...layers("blk.", 2, ["attn_q.weight"]), "output.weight"],
  sentences: layers("0.auto_model.encoder.layer.", 3, ["output.dense.bias"]),
  oneLayer: ["model.layers.0.mlp.weight", "model.norm.weight"],
  mlp: ["layers.0.weight", "layers.3.weight", "layers.6.weight"],
  llava: [
    ...layers("language_model.model.layers.", 4, ["mlp.up_proj.weight"]),
    ...layers("vision_tower.vision_model.encoder.layers.", 6, ["mlp.fc1.weight"]),
    ...["multi_modal_projector.linear_1.weight", "language_model.lm_head.weight"],
  ],
  qwenVision: [
    ...layers("visual.blocks.", 6, ["mlp.fc1.weight"]),
    ...layers("model.layers.", 4, ["mlp.up_proj.weight"]),
    ...["model.embed_tokens.weight", "lm_head.weight"],
  ],
  qwen35: [
    "model.language_model.embed_tokens.weight",
    ...layers("model.language_model.layers.", 4, ["mlp.up_proj.weight"]),
    ...layers("model.visual.blocks.", 6, ["mlp.fc1.weight"]),
    ...layers("model.visual.deepstack_merger_list.", 3, ["norm.weight"]),
    ...["model.visual.merger.norm.weight", "model.language_model.norm.weight", "lm_head.weight"],
    ...layers("mtp.layers.", 1, ["mlp.up_proj.weight"]),
    "mtp.fc.weight",
  ],
  mllama: [
    ...layers("language_model.model.layers.", 2, ["mlp.up_proj.weight"]),
    ...layers("vision_model.transformer.layers.", 3, ["mlp.fc1.weight"]),
    ...layers("vision_model.global_transformer.layers.", 3, ["mlp.fc1.weight"]),
    ...["vision_model.patch_embedding.weight", "multi_modal_projector.weight"],
  ],
  gemma3: [
    ...layers("model.language_model.layers.", 2, ["mlp.up_proj.weight"]),
    ...layers("model.vision_tower.vision_model.encoder.layers.", 3, ["mlp.fc1.weight"]),
    ...["model.multi_modal_projector.weight", "lm_head.weight"],
  ],
  phiVision: [
    "model.embed_tokens.weight",
    ...layers("model.layers.", 2, ["mlp.up_proj.weight"]),
    ...layers("model.vision_embed_tokens.img_processor.vision_model.encoder.layers.", 3, ["mlp.fc1.weight"]),
    ...["model.vision_embed_tokens.img_projection.bias", "model.norm.weight", "lm_head.weight"],
  ],
  llavaOfItsMakers: [
    "model.embed_tokens.weight",
    ...layers("model.layers.", 2, ["mlp.up_proj.weight"]),
    ...layers("model.vision_tower.vision_tower.vision_model.encoder.layers.", 3, ["mlp.fc1.weight"]),
    ...["model.mm_projector.0.weight", "model.mm_projector.2.weight", "lm_head.weight"],
  ],
  internvl: [
    ...layers("vision_model.encoder.layers.", 3, ["mlp.fc1.weight"]),
    ...layers("language_model.model.layers.", 2, ["mlp.up_proj.weight"]),
    ...["mlp1.0.weight", "mlp1.1.weight", "mlp1.3.weight"],
  ],
  blip2: [
    ...layers("vision_model.encoder.layers.", 3, ["mlp.fc1.weight"]),
    ...layers("qformer.encoder.layer.", 4, ["output.dense.weight"]),
    ...layers("language_model.model.decoder.layers.", 2, ["fc1.weight"]),
  ],
  whisper: [
    ...layers("model.encoder.layers.", 2, ["fc1.weight"]),
    ...layers("model.decoder.layers.", 2, ["fc1.weight"]),
    ...["model.encoder.conv1.weight", "proj_out.weight"],
  ],
  omni: [
    ...layers("thinker.model.layers.", 2, ["mlp.up_proj.weight"]),
    ...layers("thinker.visual.blocks.", 3, ["mlp.fc1.weight"]),
    ...layers("thinker.audio_tower.layers.", 3, ["fc1.weight"]),
    ...layers("talker.model.layers.", 1, ["mlp.up_proj.weight"]),
  ],
  twoVisions: [
    ...layers("encoder.vision.layers.", 2, ["fc1.weight"]),
    ...layers("encoder.text.layers.", 2, ["fc1.weight"]),
    ...layers("decoder.vision.layers.", 2, ["fc1.weight"]),
    ...layers("decoder.text.layers.", 2, ["fc1.weight"]),
  ],
  t5: [
    "shared.weight",
    ...layers("encoder.block.", 2, ["layer.0.SelfAttention.q.weight", "layer.1.DenseReluDense.wi.weight"]),
    ...layers("decoder.block.", 3, ["layer.0.SelfAttention.q.weight"]),
  ],
} as const;

const runsOf = (kind: keyof typeof KINDS) =>
  inferLayout(networkOf(KINDS[kind])).runs.map(({ prefix, count }) => [prefix, count]);

describe("inferLayout()", () => {
  test.each([
    ["llama", [["model.layers.", 3]]],
    ["gpt2", [["h.", 12]]],
    ["bert", [["encoder.layer.", 4]]],
    ["mixtral", [["model.layers.", 2]]],
    ["hybrid", [["backbone.layers.", 2]]],
    ["gguf", [["blk.", 2]]],
    ["sentences", [["0.auto_model.encoder.layer.", 3]]],
    ["oneLayer", [["model.layers.", 1]]],
    ["mlp", []],
    [
      "t5",
      [
        ["encoder.block.", 2],
        ["decoder.block.", 3],
      ],
    ],
  ] as const)("finds the layers of %s", (kind, runs) => {
    expect(runsOf(kind)).toEqual(runs);
  });

  test("says where in its layer a tensor is", () => {
    const { placeOf } = inferLayout(networkOf(KINDS.mixtral));
    expect(placeOf("model.layers.1.block_sparse_moe.experts.0.w1.weight")).toEqual({
      run: { prefix: "model.layers.", count: 2 },
      ...{ layer: 1, rest: ".block_sparse_moe.experts.0.w1.weight" },
    });
    expect(placeOf("lm_head.weight")).toBeUndefined();
  });
});

describe("inferModules()", () => {
  const modulesOf = (kind: keyof typeof KINDS) =>
    inferModules(inferLayout(networkOf(KINDS[kind])), KINDS[kind]);

  test("tells towers, projectors and the main part, and knows what mergekit calls them", () => {
    const modules = modulesOf("llava");
    expect(modules.names).toEqual(["language_model", "vision_tower", "multi_modal_projector"]);
    expect(modules.main).toBe("language_model");
    expect(modules.runsOf("vision_tower").map(({ count }) => count)).toEqual([6]);
    expect(findModule("text_decoder", modules)).toEqual({ module: "language_model" });
    expect(findModule("vision_model", modules)).toEqual({ module: "vision_tower" });
    expect(findModule("vision_towr", modules)).toEqual({
      problem: 'is no part of the network; did you mean "vision_tower"?',
    });
  });

  test("counts the output layer to the main part, although it stands beside it", () => {
    const { main, moduleOf } = modulesOf("qwenVision");
    expect([main, moduleOf("lm_head.weight"), moduleOf("visual.blocks.0.mlp.fc1.weight")]).toEqual([
      ...["model", "model", "visual"],
    ]);
  });

  test.each([
    ["llava", "language_model", "language_model.model.layers."],
    ["qwenVision", "model", "model.layers."],
    ["qwen35", "language_model", "model.language_model.layers."],
    ["mllama", "language_model", "language_model.model.layers."],
    ["gemma3", "language_model", "model.language_model.layers."],
    ["phiVision", "model", "model.layers."],
    ["llavaOfItsMakers", "model", "model.layers."],
    ["internvl", "language_model", "language_model.model.layers."],
    ["blip2", "language_model", "language_model.model.decoder.layers."],
  ] as const)("finds the one part of texts in %s", (kind, main, prefix) => {
    const modules = modulesOf(kind);
    expect(modules).toMatchObject({ main, mains: [main] });
    expect(modules.runsOf(main).map((run) => run.prefix)).toEqual([prefix]);
    expect(modules.moduleOf(`${prefix}1.mlp.up_proj.weight`)).toBe(main);
    expect(modules.moduleOf("lm_head.weight")).toBe(main);
  });

  test("names every part of a model that has a tower and guesses ahead", () => {
    const modules = modulesOf("qwen35");
    expect(modules.names).toEqual(["language_model", "visual", "mtp"]);
    expect(modules.runsOf("visual").map(({ prefix }) => prefix)).toEqual(["model.visual.blocks."]);
    expect(modules.moduleOf("model.visual.merger.norm.weight")).toBe("visual");
    expect(modules.moduleOf("model.language_model.embed_tokens.weight")).toBe("language_model");
    expect(modules.moduleOf("mtp.fc.weight")).toBe("mtp");
    expect(findModule("vision_tower", modules)).toEqual({ module: "visual" });
  });

  test("counts embeddings beside layers of texts to these, and projectors to themselves", () => {
    const [phi, llava] = [modulesOf("phiVision"), modulesOf("llavaOfItsMakers")];
    expect(phi.names).toEqual(["model", "vision_embed_tokens"]);
    expect(llava.names).toEqual(["model", "vision_tower", "mm_projector"]);
  });

  test("gives no two parts one name, and knows where names do not tell which part is meant", () => {
    const names = ["encoder.vision", "encoder.text", "decoder.vision", "decoder.text"];
    expect(modulesOf("twoVisions")).toMatchObject({ names, mains: ["encoder.text", "decoder.text"] });
    expect(modulesOf("whisper")).toMatchObject({
      names: ["encoder", "decoder"],
      mains: ["encoder", "decoder"],
    });
    expect(modulesOf("mllama").runsOf("vision_model")).toHaveLength(2);
    expect(modulesOf("omni").names).toEqual(["model", "visual", "audio_tower", "talker"]);
  });

  test("keeps encoder and decoder apart", () => {
    expect(modulesOf("t5")).toMatchObject({ names: ["shared", "encoder", "decoder"], main: "decoder" });
    expect(modulesOf("llama")).toMatchObject({ names: ["default"], main: "default" });
  });
});

test("isBeforeLayers() tells embeddings from what comes after the layers", () => {
  const before = [
    "model.embed_tokens.weight",
    "wte.weight",
    "wpe.weight",
    "token_embd.weight",
    "embeddings.LayerNorm.bias",
  ];
  const after = [
    "lm_head.weight",
    "model.norm.weight",
    "ln_f.bias",
    "embed_out.weight",
    "pooler.dense.bias",
    "output.weight",
  ];
  expect(before.filter((name) => !isBeforeLayers(name))).toEqual([]);
  expect(after.filter(isBeforeLayers)).toEqual([]);
});
