import { readFileSync } from "node:fs";
import {
  at,
  type Checkpoint,
  composeCheckpoint,
  createCheckpoint,
  createTensor,
  sizeOf,
} from "@isthmus/core";
import { toDiffusersLayout } from "@isthmus/merging";
import { describe, expect, test } from "vitest";
import { bakeVae } from "./bake-vae.ts";
import { takeAverages } from "./take-averages.ts";

type Values = Readonly<Record<string, readonly [shape: readonly number[], value: number]>>;
const networkOf = (tensors: Values) =>
  createCheckpoint(
    new Map(
      Object.entries(tensors).map(([name, [shape, value]]) => [
        name,
        createTensor("f32", shape, new Float32Array(sizeOf(shape)).fill(value)),
      ]),
    ),
    { format: "pt" },
    "x.safetensors",
  );
const firstOf = async (network: Checkpoint, name: string) => (await network.read(name)).data[0];

/** Names in diffusers and in the original program, and axes in diffusers, by tools/golden/diffusion-blocks.py. */
const file = new URL("../../test/golden/diffusion-vae.json", import.meta.url);
const pairs: readonly (readonly [string, string, number])[] = JSON.parse(readFileSync(file, "utf8"));

/** Names of modules of an autoencoder of four levels in the original program. */
const MODULES = [
  ...["encoder.down", "decoder.up"].flatMap((half) =>
    [0, 1, 2, 3].flatMap((level) => {
      const blocks = Array.from({ length: half === "encoder.down" ? 2 : 3 }, (_, i) => `block.${i}`);
      const change = half === "encoder.down" ? "downsample" : "upsample";
      const hasChange = half === "encoder.down" ? level < 3 : level > 0;
      const inside = [...blocks.flatMap(resnetOf), ...(hasChange ? [`${change}.conv`] : [])];
      const widens = half === "encoder.down" ? [1, 2] : [0, 1];
      const shortcut = widens.includes(level) ? ["block.0.nin_shortcut"] : [];
      return [...inside, ...shortcut].map((name) => `${half}.${level}.${name}`);
    }),
  ),
  ...["encoder", "decoder"].flatMap((half) => [
    ...["conv_in", "conv_out", "norm_out"].map((name) => `${half}.${name}`),
    ...["mid.block_1", "mid.block_2"].flatMap((block) => resnetOf(`${half}.${block}`)),
    ...["norm", "q", "k", "v", "proj_out"].map((name) => `${half}.mid.attn_1.${name}`),
  ]),
  ...["quant_conv", "post_quant_conv"],
];

function resnetOf(block: string): readonly string[] {
  return ["norm1", "conv1", "norm2", "conv2"].map((name) => `${block}.${name}`);
}

const FOUR = [2, 2, 1, 1];
const ORIGINAL: Values = Object.fromEntries(
  MODULES.flatMap((module, i) => [
    [`${module}.weight`, [/norm/.test(module) ? [2] : FOUR, 2 * i]] as const,
    [`${module}.bias`, [[2], 2 * i + 1]] as const,
  ]),
);

/** Names of attention in diffusers, and what they were before its version 0.12. */
const EARLIER = [
  ["to_q", "query"],
  ["to_k", "key"],
  ["to_v", "value"],
  ["to_out.0", "proj_attn"],
] as const;

describe("bakeVae()", () => {
  const model = networkOf({
    "model.diffusion_model.out.2.bias": [[2], 1],
    ...Object.fromEntries(
      Object.entries(ORIGINAL).map(([name, [shape]]) => [`first_stage_model.${name}`, [shape, -1] as const]),
    ),
  });
  const ofDiffusers = at(toDiffusersLayout(networkOf(ORIGINAL)).parts, 0, "part").checkpoint;

  test.each([
    ["at present", []],
    ["at first", EARLIER],
  ] as const)(
    "puts an autoencoder, named as diffusers does %s, where its converter does",
    async (_, renamed) => {
      const nowOf = (name: string) =>
        renamed.reduce((text, [now, before]) => text.replace(`.0.${now}.`, `.0.${before}.`), name);
      const places = [...ofDiffusers.tensors.keys()].map(
        (name) => [nowOf(name), { checkpoint: ofDiffusers, name }] as const,
      );
      const vae = composeCheckpoint(new Map(places), { source: "vae" });
      for (const [name, , axes] of pairs)
        expect(vae.tensors.get(nowOf(name))?.shape, name).toHaveLength(/norm.*weight/.test(name) ? 1 : axes);
      const baked = bakeVae(model, vae);
      const shapesOf = ({ tensors }: Checkpoint) => [...tensors].map(([name, { shape }]) => [name, shape]);
      expect(shapesOf(baked)).toEqual(shapesOf(model));
      for (const [name, original] of pairs)
        expect(await firstOf(baked, `first_stage_model.${original}`)).toBe(await firstOf(vae, nowOf(name)));
      for (const [name, [, value]] of Object.entries(ORIGINAL))
        expect(await firstOf(baked, `first_stage_model.${name}`)).toBe(value);
      expect(await firstOf(baked, "model.diffusion_model.out.2.bias")).toBe(1);
      expect(bakeVae(bare, vae).tensors.get("first_stage_model.decoder.mid.attn_1.q.weight")?.shape).toEqual(
        FOUR,
      );
    },
  );

  const vae = { "encoder.conv_in.weight": [[1], 3], "decoder.conv_in.weight": [[1], 4] } as const;
  const bare = networkOf({ "model.diffusion_model.out.2.bias": [[1], 1] });

  test("takes an autoencoder from a model, without the loss of its training, and adds it to a model without", async () => {
    const other = networkOf({
      "first_stage_model.encoder.conv_in.weight": [[1], 3],
      "first_stage_model.decoder.conv_in.weight": [[1], 4],
      "first_stage_model.loss.logvar": [[1], 5],
    });
    const baked = bakeVae(bare, other);
    expect([...baked.tensors.keys()].slice(1)).toEqual(
      Object.keys(vae).map((name) => `first_stage_model.${name}`),
    );
    expect(await firstOf(baked, "first_stage_model.decoder.conv_in.weight")).toBe(4);
    const comfy = networkOf({
      "vae.encoder.conv_in.weight": [[1], 0],
      "vae.decoder.conv_in.weight": [[1], 0],
    });
    expect(await firstOf(bakeVae(comfy, networkOf(vae)), "vae.encoder.conv_in.weight")).toBe(3);
  });

  test.each([
    ["no autoencoder", bare, networkOf({ "lm_head.weight": [[1], 0] }), /must be an autoencoder.*"lm_head/],
    [
      "a part of one of diffusers",
      bare,
      networkOf({ "decoder.conv_norm_out.bias": [[1], 0] }),
      /its autoencoder \(VAE\) must have all tensors .* lacks "encoder.conv_in.weight"/,
    ],
    ["a part", model, networkOf(vae), /shapes must be equal|the same autoencoder: .* in the second alone/],
    [
      "more than the model has",
      networkOf({ "vae.decoder.conv_in.weight": [[1], 0] }),
      networkOf(vae),
      /"vae.encoder.conv_in.weight" is in the first alone/,
    ],
    [
      "other shapes",
      networkOf({ "vae.encoder.conv_in.weight": [[2], 0], "vae.decoder.conv_in.weight": [[1], 0] }),
      networkOf(vae),
      /is \[2\] there, and \[1\] in the autoencoder/,
    ],
  ])("refuses %s", (_, to, from, message) => {
    expect(() => bakeVae(to, from)).toThrow(message);
  });
});

describe("takeAverages()", () => {
  const bias = "model.diffusion_model.input_blocks.1.0.in_layers.0.bias";
  const average = "model_ema.diffusion_modelinput_blocks10in_layers0bias";
  const tensors: Values = {
    ...{ "model_ema.decay": [[], 0], [bias]: [[1], 1], "first_stage_model.quant_conv.bias": [[1], 3] },
    ...{ "model_ema.num_updates": [[], 9], [average]: [[1], 2] },
  };

  test("drops averages, or uses them in place of the weights", async () => {
    const names = [bias, "first_stage_model.quant_conv.bias"];
    const dropped = takeAverages(networkOf(tensors), "drop");
    const used = takeAverages(networkOf(tensors), "use");
    expect([...dropped.tensors.keys(), ...used.tensors.keys()]).toEqual([...names, ...names]);
    expect([await firstOf(dropped, bias), await firstOf(used, bias)]).toEqual([1, 2]);
    expect(used.metadata).toEqual({ format: "pt" });
  });

  test("refuses models without averages, and averages that are those of no weight", () => {
    expect(() => takeAverages(networkOf({ [bias]: [[1], 1] }), "drop")).toThrow(
      /it has none; leave --ema out/,
    );
    const stray = networkOf({ ...tensors, "model_ema.diffusion_modelx": [[1], 0] });
    expect(() => takeAverages(stray, "use")).toThrow(/"model_ema.diffusion_modelx" is of none/);
    expect(takeAverages(stray, "drop").tensors.size).toBe(2);
    const other = networkOf({ ...tensors, [average]: [[2], 0] });
    expect(() => takeAverages(other, "use")).toThrow(/must have the shapes of the weights/);
  });
});
