import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Checkpoint, createCheckpoint, createTensor, toFloat64 } from "@isthmus/core";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toDiffusersBlocks, toOriginalBlocks } from "../layouts/tables/unet-blocks.ts";
import type { Adapter, AdapterNaming } from "./adapter.ts";
import { applyAdapter } from "./apply-adapter.ts";
import { dotPath } from "./names/underscored-path.ts";
import { openAdapter } from "./open-adapter.ts";
import { openAdapterFile } from "./open-adapter-file.ts";
import { renameAdapter } from "./rename-adapter.ts";
import { saveAdapter } from "./save-adapter.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rename-adapter-"));
});
afterAll(() => rm(folder, { recursive: true }));

const tensor = (...shape: readonly number[]) => {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return createTensor(
    "f32",
    shape,
    Float32Array.from({ length: size }, (_, i) => ((i * 7) % 5) - 2),
  );
};

const ATTENTION = "down_blocks.0.attentions.1.transformer_blocks.0.attn1.to_q";
const SHIFT = "up_blocks.0.upsamplers.0.conv";
const ENCODER = "text_model.encoder.layers.0.self_attn.q_proj";
const PATHS = { unet: [ATTENTION, SHIFT, "time_embedding.linear_1"], text_encoder: [ENCODER] };
const NETWORK = createCheckpoint({
  [`${ATTENTION}.weight`]: tensor(4, 3),
  [`${SHIFT}.weight`]: tensor(4, 3, 3, 3),
  "time_embedding.linear_1.weight": tensor(4, 3),
  [`${ENCODER}.weight`]: tensor(4, 3),
});

/** Factors of every module, as kohya names them, with lengths of rows if asked. */
function kohya(hasLengths = false): Checkpoint {
  const modules = Object.entries(PATHS).flatMap(([part, paths]) =>
    paths.map((path) => {
      const isConv = path === SHIFT;
      const prefix = part === "unet" ? "lora_unet_" : "lora_te_";
      const name = prefix + path.replaceAll(".", "_");
      return {
        [`${name}.lora_down.weight`]: isConv ? tensor(2, 3, 3, 3) : tensor(2, 3),
        [`${name}.lora_up.weight`]: isConv ? tensor(4, 2, 1, 1) : tensor(4, 2),
        [`${name}.alpha`]: createTensor("f32", [], Float32Array.of(0.5)),
        ...(hasLengths && { [`${name}.dora_scale`]: isConv ? tensor(4, 1, 1, 1) : tensor(4, 1) }),
      };
    }),
  );
  return createCheckpoint(Object.assign({}, ...modules));
}

async function valuesOf(checkpoint: Checkpoint): Promise<Map<string, number[]>> {
  const values = new Map<string, number[]>();
  for (const name of checkpoint.tensors.keys()) {
    const { data, dtype } = await checkpoint.read(name);
    values.set(name, [...toFloat64(data, dtype)]);
  }
  return values;
}

const only = (renamed: ReturnType<typeof renameAdapter>): Adapter => {
  const [first] = renamed;
  if (first === undefined || renamed.length !== 1) throw new Error("not one adapter");
  return first.adapter;
};

describe("renameAdapter()", () => {
  test("writes the names of each program", async () => {
    const adapter = await openAdapterFile(kohya());
    const namesIn = (naming: AdapterNaming) => [
      ...renameAdapter(adapter, naming).flatMap((one) => [...one.adapter.checkpoint.tensors.keys()]),
    ];
    expect(namesIn("kohya").sort()).toEqual([...kohya().tensors.keys()].sort());
    expect(namesIn("diffusers")).toEqual(
      expect.arrayContaining([
        `unet.${ATTENTION}.lora_A.weight`,
        `unet.${SHIFT}.lora_B.weight`,
        `text_encoder.${ENCODER}.lora_A.weight`,
      ]),
    );
    expect(namesIn("ComfyUI")).toEqual(
      expect.arrayContaining([
        "diffusion_model.input_blocks.2.1.transformer_blocks.0.attn1.to_q.lora_A.weight",
        // There is no attention in that block, so the change of size takes its place.
        "diffusion_model.output_blocks.2.1.conv.lora_B.weight",
        "diffusion_model.time_embed.0.alpha",
        `text_encoders.clip_l.transformer.${ENCODER}.lora_A.weight`,
      ]),
    );
    expect(renameAdapter(adapter, "PEFT").map(({ part }) => part)).toEqual(["unet", "text_encoder"]);
  });

  test.each([false, true])(
    "changes a network as before, in whatever order of programs (lengths: %s)",
    async (has) => {
      let adapter = await openAdapterFile(kohya(has));
      const expected = await valuesOf(applyAdapter(NETWORK, adapter));
      for (const naming of ["diffusers", "ComfyUI", "kohya", "diffusers", "kohya"] as const) {
        adapter = only(renameAdapter(adapter, naming));
        expect(adapter.naming).toBe(naming);
        expect(await valuesOf(applyAdapter(NETWORK, adapter)), naming).toEqual(expected);
      }
      for (const { part, adapter: ofPart } of renameAdapter(adapter, "PEFT")) {
        const place = join(folder, `${has}-${part}`);
        await saveAdapter(ofPart, place);
        const opened = await openAdapter(place);
        const applied = await valuesOf(applyAdapter(NETWORK, opened));
        for (const path of PATHS[part === "unet" ? "unet" : "text_encoder"]) {
          expect(applied.get(`${path}.weight`), path).toEqual(expected.get(`${path}.weight`));
        }
        await opened.close();
      }
    },
  );

  test("goes by the names of a network if they are not known", async () => {
    const network = createCheckpoint({ "model.my_layer.deep.q.weight": tensor(4, 3) });
    const adapter = await openAdapterFile(
      createCheckpoint({
        "lora_unet_my_layer_deep_q.lora_down.weight": tensor(2, 3),
        "lora_unet_my_layer_deep_q.lora_up.weight": tensor(4, 2),
      }),
    );
    expect(() => renameAdapter(adapter, "diffusers")).toThrow(/dots of its name must be known.*--base/);
    const renamed = only(renameAdapter(adapter, "diffusers", { base: network }));
    expect([...renamed.modules.keys()]).toEqual(["unet.my_layer.deep.q"]);
  });

  test("puts the modules of CLIP into text_model, where all programs but the newest transformers have them", async () => {
    const path = "encoder.layers.0.self_attn.q_proj";
    const adapter = await openAdapterFile(
      createCheckpoint({
        [`text_encoder.${path}.lora_A.weight`]: tensor(2, 3),
        [`text_encoder.${path}.lora_B.weight`]: tensor(4, 2),
      }),
    );
    const renamed = only(renameAdapter(adapter, "kohya"));
    expect([...renamed.modules.keys()]).toEqual(["lora_te_text_model_encoder_layers_0_self_attn_q_proj"]);
    const newest = createCheckpoint({ [`${path}.weight`]: tensor(4, 3) });
    expect(await valuesOf(applyAdapter(newest, renamed))).toEqual(
      await valuesOf(applyAdapter(newest, adapter)),
    );
    const [peft] = renameAdapter(renamed, "PEFT", { base: newest });
    expect([...(peft?.adapter.modules.keys() ?? [])]).toEqual([path]);
  });

  test("turns LoHa into LoRA with the kernel of the network", async () => {
    const name = `lora_unet_${SHIFT.replaceAll(".", "_")}`;
    const loha = createCheckpoint({
      [`${name}.hada_w1_a`]: tensor(4, 2),
      [`${name}.hada_w1_b`]: tensor(2, 27),
      [`${name}.hada_w2_a`]: tensor(4, 1),
      [`${name}.hada_w2_b`]: tensor(1, 27),
      [`${name}.alpha`]: createTensor("f32", [], Float32Array.of(0.5)),
    });
    const adapter = await openAdapterFile(loha);
    expect(() => renameAdapter(adapter, "diffusers")).toThrow(/shape of its weight must be known/);
    const renamed = only(renameAdapter(adapter, "diffusers", { base: NETWORK }));
    expect(renamed.checkpoint.tensors.get(`unet.${SHIFT}.lora_A.weight`)?.shape).toEqual([2, 3, 3, 3]);
    expect(await valuesOf(applyAdapter(NETWORK, renamed))).toEqual(
      await valuesOf(applyAdapter(NETWORK, adapter)),
    );
  });

  test("refuses names that fall together, belong to no network, or have no counterpart", async () => {
    const pair = (name: string) => ({
      [`${name}.lora_down.weight`]: tensor(1, 3),
      [`${name}.lora_up.weight`]: tensor(3, 1),
    });
    const open = (...names: readonly string[]) =>
      openAdapterFile(createCheckpoint(Object.assign({}, ...names.map(pair))));
    const twice = await open("unet.mid_block.attentions.0.proj_in", "unet.mid_block.attentions.0.proj.in");
    expect(() => renameAdapter(twice, "kohya")).toThrow(
      /two modules must not get one name: both "unet.mid_block.attentions.0.proj_in" and/,
    );
    expect(() => renameAdapter(twice, "diffusers")).not.toThrow();
    const foreign = await open("model.layers.0.q_proj");
    expect(() => renameAdapter(foreign, "kohya")).toThrow(
      /must belong to one of .*unet.* its name tells none; .* has no names for language models/,
    );
    const flux = await open("lora_unet_double_blocks_0_img_attn_qkv");
    expect([...only(renameAdapter(flux, "diffusers")).modules.keys()]).toEqual(
      ["to_q", "to_k", "to_v"].map((part) => `transformer.transformer_blocks.0.attn.${part}`),
    );
    const other = await open("transformer.transformer_blocks.0.attn.to_q");
    expect(() => renameAdapter(other, "ComfyUI")).toThrow(/must be known for such a transformer.*--base/);
    expect([...only(renameAdapter(flux, "ComfyUI")).modules.keys()]).toEqual([
      "diffusion_model.double_blocks.0.img_attn.qkv",
    ]);
    const two = createCheckpoint({ "a_b.c.weight": tensor(3, 3), "a.b_c.weight": tensor(3, 3) });
    const ambiguous = await open("lora_unet_a_b_c");
    expect(() => renameAdapter(ambiguous, "diffusers", { base: two })).toThrow(/stands for a_b.c, a.b_c/);
    expect(() => applyAdapter(two, ambiguous)).toThrow(/several may be meant: a_b.c.weight, a.b_c.weight/);
  });
});

describe("names", () => {
  const inner = fc.constantFrom("transformer_blocks.0.attn2.to_out.0", "proj_in", "norm");
  const blocks = fc.oneof(
    fc
      .tuple(fc.constantFrom("down", "up"), fc.nat(3), fc.nat(1), inner)
      .map(([side, block, layer, rest]) => `${side}_blocks.${block}.attentions.${layer}.${rest}`),
    fc
      .tuple(fc.constantFrom("down", "up"), fc.nat(3), fc.nat(1), fc.constantFrom("conv1", "time_emb_proj"))
      .map(([side, block, layer, rest]) => `${side}_blocks.${block}.resnets.${layer}.${rest}`),
    fc.nat(3).map((block) => `down_blocks.${block}.downsamplers.0.conv`),
    fc.nat(3).map((block) => `up_blocks.${block}.upsamplers.0.conv`),
    fc.constantFrom("mid_block.resnets.1.conv_shortcut", "mid_block.attentions.0.proj_out", "conv_in"),
  );

  test("of blocks lead to the original Stable Diffusion and back", () => {
    fc.assert(
      fc.property(blocks, (path) => {
        const originals = toOriginalBlocks(path);
        expect(originals.length).toBeGreaterThan(0);
        for (const original of originals) expect(toDiffusersBlocks(original), original).toBe(path);
      }),
    );
  });

  test("get the dots back that kohya took from them", () => {
    fc.assert(
      fc.property(blocks, (path) => {
        for (const name of [path, ...toOriginalBlocks(path)])
          expect(dotPath(name.replaceAll(".", "_"))).toBe(name);
      }),
    );
    expect(dotPath("my_layer_q")).toBeUndefined();
  });
});
