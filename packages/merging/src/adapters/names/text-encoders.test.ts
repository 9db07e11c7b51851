import { createCheckpoint, createTensor } from "@isthmus/core";
import { describe, expect, test } from "vitest";
import type { AdapterNaming } from "../adapter.ts";
import { openAdapterFile } from "../open-adapter-file.ts";
import { renameAdapter } from "../rename-adapter.ts";

const tensor = (...shape: readonly [number, number]) =>
  createTensor("f32", shape, new Float32Array(shape[0] * shape[1]).fill(1));

/** Opens an adapter whose modules change square weights, of 4 rows if no other number is given. */
const open = (modules: readonly (string | readonly [name: string, columns: number])[]) => {
  const tensors = modules.map((module) => {
    const [name, columns] = typeof module === "string" ? [module, 4] : module;
    return {
      [`${name}.lora_down.weight`]: tensor(1, columns),
      [`${name}.lora_up.weight`]: tensor(columns, 1),
    };
  });
  return openAdapterFile(createCheckpoint(Object.assign({}, ...tensors)));
};

type Opened = Awaited<ReturnType<typeof open>>;

const rename = (adapter: Opened, naming: AdapterNaming): Opened => {
  const [first] = renameAdapter(adapter, naming);
  if (first === undefined) throw new Error("no adapter");
  return first.adapter;
};

const CLIP = "text_model_encoder_layers_0_self_attn_q_proj";
const CLIP_DOTS = "text_model.encoder.layers.0.self_attn.q_proj";
const T5 = "encoder_block_0_layer_0_SelfAttention_q";
const T5_DOTS = "encoder.block.0.layer.0.SelfAttention.q";
const COMFY = { L: "text_encoders.clip_l.transformer.", G: "text_encoders.clip_g.transformer." };
const COMFY_T5 = `text_encoders.t5xxl.transformer.${T5_DOTS}`;
const XL_TEXT = ["lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k", 2048] as const;

/** Text encoders of each architecture in kohya, diffusers and ComfyUI, and a module that tells it. */
const CASES = {
  "Stable Diffusion 1": {
    sign: "lora_unet_mid_block_attentions_0_proj_in",
    names: [[`lora_te_${CLIP}`, `text_encoder.${CLIP_DOTS}`, COMFY.L + CLIP_DOTS]],
  },
  "Stable Diffusion XL": {
    sign: "lora_unet_mid_block_attentions_0_proj_in",
    names: [
      [`lora_te1_${CLIP}`, `text_encoder.${CLIP_DOTS}`, COMFY.L + CLIP_DOTS],
      [`lora_te2_${CLIP}`, `text_encoder_2.${CLIP_DOTS}`, COMFY.G + CLIP_DOTS],
    ],
  },
  "Stable Diffusion XL, one text encoder, by its depth": {
    sign: "lora_unet_mid_block_attentions_0_transformer_blocks_9_attn1_to_q",
    names: [[`lora_te1_${CLIP}`, `text_encoder.${CLIP_DOTS}`, COMFY.L + CLIP_DOTS]],
  },
  "Stable Diffusion XL, one text encoder, by the width of its text": {
    sign: XL_TEXT,
    names: [[`lora_te1_${CLIP}`, `text_encoder.${CLIP_DOTS}`, COMFY.L + CLIP_DOTS]],
  },
  "Stable Diffusion 3": {
    sign: "lora_unet_joint_blocks_0_x_block_mlp_fc1",
    names: [
      [`lora_te1_${CLIP}`, `text_encoder.${CLIP_DOTS}`, COMFY.L + CLIP_DOTS],
      [`lora_te2_${CLIP}`, `text_encoder_2.${CLIP_DOTS}`, COMFY.G + CLIP_DOTS],
      [`lora_te3_${T5}`, `text_encoder_3.${T5_DOTS}`, COMFY_T5],
    ],
  },
  Flux: {
    sign: "lora_unet_single_blocks_0_modulation_lin",
    names: [
      [`lora_te1_${CLIP}`, `text_encoder.${CLIP_DOTS}`, COMFY.L + CLIP_DOTS],
      [`lora_te3_${T5}`, `text_encoder_2.${T5_DOTS}`, COMFY_T5],
    ],
  },
} as const;

describe("text encoders", () => {
  test.each(Object.entries(CASES))("of %s have its names in every program", async (_, { sign, names }) => {
    const adapter = await open([sign, ...names.map(([kohya]) => kohya)]);
    const textIn = (naming: AdapterNaming, from: Opened = adapter) =>
      [...rename(from, naming).modules.keys()].filter((name) => /^(lora_te|text_enc)/.test(name)).sort();
    const expected = (place: 0 | 1 | 2) => names.map((row) => row[place]).sort();
    expect(textIn("kohya")).toEqual(expected(0));
    expect(textIn("diffusers")).toEqual(expected(1));
    expect(textIn("ComfyUI")).toEqual(expected(2));
    for (const naming of ["diffusers", "ComfyUI"] as const) {
      const there = rename(adapter, naming);
      expect(textIn("kohya", there), naming).toEqual(expected(0));
      expect(textIn("diffusers", there), naming).toEqual(expected(1));
    }
    const folders = renameAdapter(adapter, "PEFT").map(({ part }) => part);
    for (const [, name] of names) expect(folders).toContain(name.split(".")[0]);
  });

  test("keep their names in kohya, if nothing tells the architecture", async () => {
    const modules = [`lora_te1_${CLIP}`, `lora_te3_${T5}`];
    expect([...rename(await open(modules), "kohya").modules.keys()]).toEqual(modules);
    const [alone] = [`lora_te1_${CLIP}`];
    expect([...rename(await open([alone]), "kohya").modules.keys()]).toEqual([alone]);
  });

  test("are those of Flux if the second is T5", async () => {
    const adapter = await open([`text_encoder.${CLIP_DOTS}`, `text_encoder_2.${T5_DOTS}`]);
    expect([...rename(adapter, "kohya").modules.keys()]).toEqual([`lora_te1_${CLIP}`, `lora_te3_${T5}`]);
  });
});

test("a network with no module of the adapter is refused as its base", async () => {
  const adapter = await open(["lora_unet_double_blocks_0_img_mlp_0"]);
  const foreign = createCheckpoint({ "down_blocks.0.attentions.0.proj_in.weight": tensor(4, 4) });
  expect(() => renameAdapter(adapter, "diffusers", { base: foreign })).toThrow(
    /it has none of its 1 modules, such as transformer_blocks.0.ff.net.0.proj; name the adapter's own network/,
  );
  for (const name of ["double_blocks.0.img_mlp.0.weight", "transformer_blocks.0.ff.net.0.proj.weight"]) {
    const base = createCheckpoint({ [name]: tensor(4, 4) });
    expect(() => renameAdapter(adapter, "diffusers", { base }), name).not.toThrow();
  }
  const openClip = createCheckpoint({
    "conditioner.embedders.1.model.transformer.resblocks.0.attn.in_proj_weight": tensor(12, 4),
  });
  const text = await open([`lora_te2_${CLIP}`]);
  expect(() => renameAdapter(text, "PEFT", { base: openClip })).not.toThrow();
});
