import { readFileSync } from "node:fs";
import { at, type Checkpoint, createCheckpoint, createTensor } from "@isthmus/core";
import { describe, expect, test } from "vitest";
import { BLOCK_ARCHITECTURES, findBlockArchitecture, listBlocks } from "../diffusion/diffusion-blocks.ts";
import { explainPlan } from "../plan/explain-plan.ts";
import { planRecipe } from "../plan/plan-recipe.ts";
import type { BlockSetting, Setting } from "../recipe/recipe.ts";

/** Names of tensors by block, made by tools/golden/diffusion-blocks.py from supermerger and diffusers. */
type Names = Readonly<Record<"original" | "diffusers", Readonly<Record<string, readonly string[]>>>>;
const file = new URL("../../test/golden/diffusion-blocks.json", import.meta.url);
const golden: Readonly<Record<string, Names>> = JSON.parse(readFileSync(file, "utf8"));
const namesOf = (kind: string, layout: keyof Names) => Object.values(golden[kind]![layout]).flat();

const networkOf = (names: readonly string[]): Checkpoint =>
  createCheckpoint(
    new Map(names.map((name) => [name, createTensor("f32", [1], Float32Array.of(1))])),
    {},
    "x",
  );

/** Plans a blend of two networks with values by blocks, and returns the value of each tensor. */
async function valuesOf(names: readonly string[], t: Setting, warnings: string[] = []) {
  const recipe = { merge_method: "slerp", models: [{ model: "a" }, { model: "b" }], parameters: { t } };
  const open = async () => networkOf(names);
  const plan = await planRecipe(recipe, { open, onWarning: (warning) => warnings.push(warning) });
  return new Map(explainPlan(plan).map(({ tensor, parameters }) => [tensor, parameters["t"]]));
}

describe.each(Object.keys(golden))("blocks of %s", (kind) => {
  const architecture = BLOCK_ARCHITECTURES.get(kind)!;

  test.each(["original", "diffusers"] as const)("are those of supermerger by %s names", async (layout) => {
    for (const [block, names] of Object.entries(golden[kind]![layout]))
      for (const name of names) expect(listBlocks(architecture, name), name).toContain(block);
    const names = namesOf(kind, layout);
    expect(findBlockArchitecture(names)).toBe(kind);
    const order = architecture.orders.find(([first]) => first === "BASE")!;
    const values = await valuesOf(names, { blocks: kind, value: order.map((_, i) => i / 100) });
    for (const [block, inBlock] of Object.entries(golden[kind]![layout])) {
      const wide = order.includes(block) ? block : "BASE";
      for (const name of inBlock) expect(values.get(name), name).toBe(order.indexOf(wide) / 100);
    }
  });

  test("are named by every length of lists, and no other", async () => {
    const names = namesOf(kind, "original");
    for (const order of architecture.orders) {
      const value = order.map(() => "0.25").join(", ");
      const setting = [{ blocks: kind, value }, { value: 0.75 }];
      const values = new Set((await valuesOf(names, setting)).values());
      expect([...values].sort()[0]).toBe(0.25);
    }
    const wrong = valuesOf(names, { blocks: kind, value: [1, 2] });
    const lengths = architecture.orders.map(({ length }) => `${length} \\(`).join(".*");
    await expect(wrong).rejects.toThrow(new RegExp(`must have as many values as .* ${lengths}.*: it has 2`));
  });
});

describe("values by blocks", () => {
  const names = namesOf("sdxl", "original");
  const vae = "first_stage_model.decoder.conv_in.weight";
  const time = "model.diffusion_model.time_embed.0.weight";
  const text = "conditioner.embedders.1.model.ln_final.bias";
  const all = [...names, vae, time, text];
  const twenty = at(BLOCK_ARCHITECTURES.get("sdxl")!.orders, 0).map((_, i) => i / 20);

  test("of narrow blocks come before those of wide ones", async () => {
    const value = { BASE: 0.1, IN00: 0.2, VAE: 0, M00: 1 };
    const wide = await valuesOf(all, [{ blocks: "sdxl", value }, { value: 0.5 }]);
    expect([vae, time, text].map((name) => wide.get(name))).toEqual([0, 0.2, 0.1]);
    const narrow = await valuesOf(all, [{ blocks: "sdxl", value: { ...value, TIME: 0.9 } }, { value: 0.5 }]);
    expect(narrow.get(time)).toBe(0.9);
    expect(narrow.get(golden["sdxl"]!.original["OUT03"]![0]!)).toBe(0.5);
  });

  test("come after filters that are written before them, and say where they stand", async () => {
    const t = [
      { filter: "attn2", value: 0.75 },
      { blocks: "sdxl", value: twenty.join(",") },
    ];
    const attention = "model.diffusion_model.input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight";
    const recipe = { merge_method: "slerp", models: [{ model: "a" }, { model: "b" }], parameters: { t } };
    const plan = await planRecipe(recipe, { open: async () => networkOf([...all, attention]) });
    expect(explainPlan(plan, "attn2")[0]?.parameters["t"]).toBe(0.75);
    expect(explainPlan(plan, time)[0]?.reason).toMatch(/t 0.05 \(parameters.t\[1\].value, block IN00\)/);
  });

  test.each<[string, readonly string[], Setting, RegExp]>([
    [
      "another kind",
      namesOf("sd1", "original"),
      { blocks: "sdxl", value: twenty },
      /Stable Diffusion XL has no IN\d\d, which/,
    ],
    [
      "too few blocks",
      names,
      { blocks: "sd1", value: Array(26).fill(0.5) },
      /no tensor in 5 of them, IN09, IN10, IN11, \.\.\./,
    ],
    [
      "no value of the rest",
      all,
      { blocks: "sdxl", value: twenty.slice(1) },
      /must have a value for .*, which is in /,
    ],
    ["averages", [...all, "model_ema.decay"], { blocks: "sdxl", value: twenty }, /no block for averages/],
    ["no value at all", all, { blocks: "sdxl", value: {} }, /must have a value for a block/],
    ["a mistyped block", all, { blocks: "sdxl", value: { IN04: 1, MO0: 1 } }, /did you mean "M00"\?/],
    ["a mistyped kind", all, { blocks: "sdlx", value: twenty } as BlockSetting, /did you mean "sdxl"\?/],
    [
      "no number",
      all,
      { blocks: "sdxl", value: twenty.join(",").replace("0.5", "x") },
      /must be a number: it is "x"/,
    ],
    [
      "a list of another kind",
      all,
      { blocks: "sdxl", value: Array(26).fill(0) },
      /it has 26, as many as sd1 may have/,
    ],
  ])("with %s are refused", async (_, tensors, t, message) => {
    await expect(valuesOf(tensors, t)).rejects.toThrow(message);
  });

  test("are a warning for a network that has none of the numbered blocks", async () => {
    const warnings: string[] = [];
    const values = await valuesOf([text, vae], { blocks: "sdxl", value: twenty }, warnings);
    expect([...values.values()]).toEqual([0, 0]);
    expect(warnings.join()).toMatch(/has an effect on .* alone, as there is no tensor in IN00, IN01, IN02/);
  });
});
