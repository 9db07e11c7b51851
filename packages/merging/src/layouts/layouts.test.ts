import { createHash } from "node:crypto";
import {
  type Checkpoint,
  composeCheckpoint,
  createCheckpoint,
  createTensor,
  entry,
  viewBytes,
} from "@isthmus/core";
import { describe, expect, test } from "vitest";
import { fileOf, LAYOUT_CASES } from "../../test/layout-files.ts";
import { describeRenamed, withLayoutNamesOf } from "./layout-names.ts";
import { toDiffusersLayout } from "./to-diffusers.ts";
import { toOriginalLayout } from "./to-original.ts";

async function digest(checkpoint: Checkpoint): Promise<string> {
  const hash = createHash("sha256");
  for (const [name, { shape }] of [...checkpoint.tensors].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${name} ${shape.join(",")}\n`).update(viewBytes((await checkpoint.read(name)).data));
  }
  return hash.digest("hex");
}

const partsOf = (file: Checkpoint) =>
  new Map(toDiffusersLayout(file).parts.map(({ folder, checkpoint }) => [folder, checkpoint]));

/** Makes a file without some tensors, or with some under other names. */
const renamed = (file: Checkpoint, nameOf: (name: string) => string | undefined) =>
  composeCheckpoint(
    new Map(
      [...file.tensors.keys()].flatMap((name) => {
        const other = nameOf(name);
        return other === undefined ? [] : [[other, { checkpoint: file, name }] as const];
      }),
    ),
    { source: "x.safetensors" },
  );

const XL = entry(LAYOUT_CASES, "Stable Diffusion XL", "case");
const FLUX = entry(LAYOUT_CASES, "Flux", "case");

describe.each([...LAYOUT_CASES])("a single file of %s", (name, of) => {
  test("becomes the folders that diffusers makes of it, and back, bit for bit", async () => {
    const file = fileOf(of);
    const layout = toDiffusersLayout(file);
    expect([layout.architecture, layout.unknown]).toEqual([name, undefined]);
    const digests = layout.parts.map(async ({ folder, checkpoint }) => [folder, await digest(checkpoint)]);
    expect(Object.fromEntries(await Promise.all(digests))).toEqual(of.parts);
    const back = toOriginalLayout(partsOf(file));
    expect([back.architecture, back.unknown]).toEqual([name, []]);
    expect(await digest(back.checkpoint)).toBe(await digest(file));
  });

  test("is refused if it lacks a tensor, which is named", () => {
    const file = fileOf(of);
    const main = [...file.tensors.keys()].filter((one) => one.startsWith("model.diffusion_model."));
    for (const missing of main.filter((_, i) => i % 97 === 0)) {
      const cut = renamed(file, (one) => (one === missing ? undefined : one));
      expect(() => toDiffusersLayout(cut), missing).toThrow(
        `lacks "${missing.slice("model.diffusion_model.".length)}"`,
      );
    }
  });
});

describe("toDiffusersLayout()", () => {
  test("reads a transformer or an autoencoder by itself", async () => {
    const file = fileOf(FLUX);
    for (const [folder, prefix] of [
      ["transformer", "model.diffusion_model."],
      ["vae", "vae."],
    ] as const) {
      const alone = renamed(file, (name) =>
        name.startsWith(prefix) ? name.slice(prefix.length) : undefined,
      );
      const { parts, settings, tokenizers } = toDiffusersLayout(alone);
      expect([parts.map((part) => part.folder), settings.size, tokenizers]).toEqual([[folder], 0, {}]);
      const [part] = parts;
      expect(await digest(part!.checkpoint)).toBe(FLUX.parts[folder]);
      const back = toOriginalLayout(new Map([["", part!.checkpoint]]));
      expect(await digest(back.checkpoint)).toBe(await digest(alone));
    }
  });

  test("tells settings from shapes, and says which ones it assumes", () => {
    const parts = new Map(toDiffusersLayout(fileOf(XL)).parts.map((part) => [part.folder, part.config]));
    expect(parts.get("unet")?.told).toEqual({
      _class_name: "UNet2DConditionModel",
      addition_embed_type: "text_time",
      projection_class_embeddings_input_dim: 6,
      block_out_channels: [2, 4, 4],
      cross_attention_dim: 4,
      down_block_types: ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
      in_channels: 4,
      layers_per_block: 2,
      mid_block_type: "UNetMidBlock2DCrossAttn",
      out_channels: 4,
      transformer_layers_per_block: [1, 2, 3],
      up_block_types: ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
      use_linear_projection: true,
    });
    expect(parts.get("vae")?.assumed).toMatchObject({ scaling_factor: 0.13025, norm_num_groups: 32 });
    expect(parts.get("text_encoder_2")?.told).toMatchObject({ num_hidden_layers: 2, projection_dim: 4 });
    const [flux] = toDiffusersLayout(fileOf(FLUX)).parts;
    expect(flux?.config.told).toMatchObject({
      ...{ attention_head_dim: 4, num_attention_heads: 2, num_layers: 2, num_single_layers: 3 },
      ...{ guidance_embeds: true, in_channels: 6, out_channels: null, joint_attention_dim: 7 },
    });
  });

  test("keeps tensors of no network aside, from where they come back", async () => {
    const file = createCheckpoint({
      alphas_cumprod: createTensor("f32", [2], Float32Array.of(1, 2)),
      "first_stage_model.loss.weight": createTensor("f16", [1], Uint16Array.of(7)),
    });
    const both = composeCheckpoint(
      new Map(
        [fileOf(XL), file].flatMap((checkpoint) =>
          [...checkpoint.tensors.keys()].map((name) => [name, { checkpoint, name }] as const),
        ),
      ),
      { source: "x.safetensors" },
    );
    const { unknown: aside } = toDiffusersLayout(both);
    expect([...(aside?.tensors.keys() ?? [])]).toEqual([...file.tensors.keys()]);
    const back = toOriginalLayout(partsOf(both), { aside });
    expect(await digest(back.checkpoint)).toBe(await digest(both));
    const without = toOriginalLayout(partsOf(both), { aside, dropsUnknown: true });
    expect(without.unknown).toEqual([...file.tensors.keys()]);
    expect(without.checkpoint.tensors.size).toBe(both.tensors.size - 2);
  });

  test("names files that are of no architecture, or have wrong shapes", () => {
    const foreign = createCheckpoint({
      "model.layers.0.weight": createTensor("f32", [1], Float32Array.of(1)),
    });
    expect(() => toDiffusersLayout(foreign)).toThrow(
      /one of Flux, .* it has "model.layers.0.weight" and 0 other/,
    );
    const [unet] = toDiffusersLayout(fileOf(XL)).parts;
    expect(() => toDiffusersLayout(unet!.checkpoint)).toThrow(/are those of diffusers already/);
    expect(() => toOriginalLayout(new Map([["", foreign]]))).toThrow(/it has "model.layers.0.weight"/);
    expect(() => toOriginalLayout(new Map([["", fileOf(XL)]]))).toThrow(/in the layout of diffusers/);
    const file = fileOf(FLUX);
    const [bias, weight] = ["bias", "weight"].map(
      (end) => `model.diffusion_model.double_blocks.1.img_attn.qkv.${end}`,
    );
    const odd = renamed(file, (name) => (name === bias ? undefined : name === weight ? weight : name));
    expect(() => toDiffusersLayout(odd)).toThrow(/lacks "double_blocks.1.img_attn.qkv.bias"/);
    const swapped = composeCheckpoint(
      new Map(
        [...file.tensors.keys()].map((name) => [
          name,
          { checkpoint: file, name: name === bias ? "model.diffusion_model.txt_in.bias" : name },
        ]),
      ),
      { source: "x.safetensors" },
    );
    expect(() => toDiffusersLayout(swapped)).toThrow(
      /"double_blocks.1.img_attn.qkv.bias" must have rows for 3 equal parts: it is \[8\]/,
    );
  });

  test("reads autoencoders and CLIP under names that diffusers and transformers had at other times", async () => {
    const file = fileOf(XL);
    const parts = new Map(partsOf(file));
    const old = { to_q: "query", to_k: "key", to_v: "value", "to_out.0": "proj_attn" };
    const vae = renamed(parts.get("vae")!, (name) =>
      Object.entries(old).reduce((text, [now, before]) => text.replace(`.0.${now}.`, `.0.${before}.`), name),
    );
    const clip = renamed(parts.get("text_encoder")!, (name) => name.replace(/^text_model\./, ""));
    const { checkpoint } = toOriginalLayout(new Map([...parts, ["vae", vae], ["text_encoder", clip]]));
    expect(await digest(checkpoint)).toBe(await digest(file));
  });
});

describe("withLayoutNamesOf()", () => {
  /** Ways in which programs name the same tensors, each as the other. */
  const WAYS: readonly (readonly [RegExp, string])[] = [
    [/^model\.diffusion_model\./, ""],
    [/^first_stage_model\./, "vae."],
    [/(?<=\.transformer\.)text_model\.(?=embeddings|encoder|final_layer_norm)/, ""],
  ];

  test.each([...LAYOUT_CASES])(
    "gives a file of %s the names of another, whichever has which",
    async (_, of) => {
      const file = fileOf(of);
      for (const way of [...WAYS.map((one) => [one]), WAYS]) {
        const otherOf = (name: string) =>
          way.reduce((text, [pattern, other]) => text.replace(pattern, other), name);
        const other = renamed(file, otherOf);
        const changed = [...file.tensors.keys()].filter((name) => otherOf(name) !== name);
        const there = withLayoutNamesOf(file, other);
        const back = withLayoutNamesOf(other, file);
        expect([...there.renamed]).toEqual(changed.map((name) => [name, otherOf(name)]));
        expect([await digest(there.network), await digest(back.network)]).toEqual(
          await Promise.all([digest(file), digest(other)]),
        );
        expect(describeRenamed(there)).toEqual(
          changed.length === 0
            ? undefined
            : expect.stringContaining(`names ${changed.length} tensors in another`),
        );
      }
    },
  );

  test("leaves names that are there, that fit no tensor, or that fit several", () => {
    const named = (...names: readonly string[]) =>
      createCheckpoint(
        Object.fromEntries(names.map((name) => [name, createTensor("f32", [1], Float32Array.of(1))])),
      );
    const names = (first: Checkpoint, other: Checkpoint) => [
      ...withLayoutNamesOf(first, other).network.tensors.keys(),
    ];
    expect(names(named("model.layers.0.w"), named("layers.0.w"))).toEqual(["layers.0.w"]);
    const both = ["x.w", "model.diffusion_model.x.w"];
    expect(names(named("model.diffusion_model.x.w"), named(...both))).toEqual(both);
    expect(names(named(...both), named("x.w"))).toEqual(["x.w"]);
  });
});
