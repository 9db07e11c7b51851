import { describe, expect, test } from "vitest";
import { findAdapterFactor, findAdapterKind } from "./adapter-kind.ts";

/** Names of tensors as programs write them, one module of each. */
const FILES = {
  "PEFT's LoRA": ["LoRA", ["q_proj.lora_A.weight", "q_proj.lora_B.weight"]],
  "PEFT's LoRA of an embedding": ["LoRA", ["wte.lora_embedding_A", "wte.lora_embedding_B"]],
  "kohya's LoRA": [
    "LoRA",
    ["lora_unet_q.lora_up.weight", "lora_unet_q.lora_down.weight", "lora_unet_q.alpha"],
  ],
  "diffusers' LoRA": ["LoRA", ["unet.to_q.lora.up.weight", "unet.to_q.lora.down.weight"]],
  "diffusers' first LoRA": [
    "LoRA",
    ["attn1.processor.to_q_lora.up.weight", "attn1.processor.to_q_lora.down.weight"],
  ],
  "diffusers' LoRA of a text encoder": [
    "LoRA",
    ["q.lora_linear_layer.up.weight", "q.lora_linear_layer.down.weight"],
  ],
  "diffusers' LoRA layers": ["LoRA", ["to_q.lora_layer.up.weight", "to_q.lora_layer.down.weight"]],
  "llama.cpp's LoRA": ["LoRA", ["blk.0.attn_q.weight.lora_a", "blk.0.attn_q.weight.lora_b"]],
  "PEFT's DoRA": ["DoRA", ["q.lora_A.weight", "q.lora_B.weight", "q.lora_magnitude_vector"]],
  "kohya's DoRA": ["DoRA", ["q.lora_up.weight", "q.lora_down.weight", "q.alpha", "q.dora_scale"]],
  LoHa: ["LoHa", ["q.hada_w1_a", "q.hada_w1_b", "q.hada_w2_a", "q.hada_w2_b", "q.alpha"]],
  LoKr: ["LoKr", ["q.lokr_w1", "q.lokr_w2_a", "q.lokr_w2_b", "q.alpha"]],
  "LyCORIS' OFT": ["OFT", ["q.oft_blocks", "q.alpha"]],
  "PEFT's OFT": ["OFT", ["q.oft_R.weight"]],
  VeRA: ["VeRA", ["q.vera_lambda_b", "q.vera_lambda_d"]],
  "PEFT's IA3": ["IA3", ["q.ia3_l"]],
} as const;

describe("findAdapterKind()", () => {
  test.each(Object.entries(FILES))("knows %s", (_, [name, names]) => {
    expect(findAdapterKind(names)).toMatchObject({ name, isWithNetwork: false });
  });

  test("knows no adapter in networks, whatever alphas they have", () => {
    expect(
      findAdapterKind(["model.layers.0.q_proj.weight", "act.alpha", "diffusion.alphas"]),
    ).toBeUndefined();
    expect(findAdapterKind(["lora_encoder.weight", "layers.0.explorer.up.weight"])).toBeUndefined();
  });

  test("tells an adapter from a network that has one beside its weights", () => {
    const beside = ["q.base_layer.weight", "q.lora_A.speech.weight", "q.lora_B.speech.weight"];
    expect(findAdapterKind(beside)).toMatchObject({ isWithNetwork: true, tensor: "q.lora_A.speech.weight" });
    expect(findAdapterKind(["a.weight", "b.weight", "c.weight", "q.lora_A.weight"])?.isWithNetwork).toBe(
      true,
    );
  });
});

describe("findAdapterFactor()", () => {
  test.each([
    ["m.q.lora_A.default.weight", "m.q", "lora_A", "a"],
    ["lora_te1_q.lora_up.weight", "lora_te1_q", "up", "b"],
    ["attn1.processor.to_q_lora.down.weight", "attn1.processor.to_q", "down", "a"],
    ["q.hada_w2_b", "q", "hada_w2_b", undefined],
    ["q.lokr_w1", "q", "lokr_w1", undefined],
    ["q.alpha", "q", "alpha", "alpha"],
  ])("finds the module of %s", (name, module, factor, role) => {
    expect(findAdapterFactor(name)).toEqual({ module, factor, role });
  });

  test("finds no factor where a tensor is added or scales by itself", () => {
    expect(findAdapterFactor("q.weight")).toBeUndefined();
    expect(findAdapterFactor("q.ia3_l")).toBeUndefined();
    expect(findAdapterFactor("q.lora_B.default.bias")).toBeUndefined();
  });
});
