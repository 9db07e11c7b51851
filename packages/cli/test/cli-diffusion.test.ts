import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCheckpoint, createTensor, openCheckpoint, saveCheckpoint, toFloat64 } from "@isthmus/core";
import { BLOCK_ARCHITECTURES } from "@isthmus/recipe";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli, runJson } from "../../../test/helpers/run-cli.ts";

let folder: string;
const at = (name: string): string => join(folder, name);

/** Names of one tensor in each numbered block of an SDXL, without the prefix of the U-Net. */
const UNET = BLOCK_ARCHITECTURES.get("sdxl")!.numbered.map((block) => {
  const [, word = "", number = ""] = /^([A-Z]+)(\d+)$/.exec(block) ?? [];
  const name = {
    IN: `input_blocks.${Number(number)}`,
    M: "middle_block",
    OUT: `output_blocks.${Number(number)}`,
  }[word];
  return `${name}.0.in_layers.0.weight`;
});
const VAE = ["encoder.conv_in.bias", "decoder.conv_in.bias"];

async function save(path: string, names: readonly string[], value: number): Promise<void> {
  const tensors = names.map((name) => [name, createTensor("f32", [2], Float32Array.of(value, 1))] as const);
  await saveCheckpoint(createCheckpoint(new Map(tensors)), at(path), { overwrite: true });
}

async function firstOf(path: string, name: string): Promise<number> {
  await using checkpoint = await openCheckpoint(at(path));
  const { data, dtype } = await checkpoint.read(name);
  return Number(toFloat64(data, dtype)[0]);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-diffusion-"));
  const model = [
    ...UNET.map((name) => `model.diffusion_model.${name}`),
    ...VAE.map((name) => `first_stage_model.${name}`),
  ];
  await save("a.safetensors", model, 1);
  await save("b.safetensors", model, 1.5);
  await save("vae.safetensors", VAE, 7);
  const averages = UNET.map((name) => `model_ema.diffusion_model${name.replaceAll(".", "")}`);
  await save("trained.safetensors", [...model, "model_ema.num_updates", ...averages], 3);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("diffusion models", () => {
  it("isthmus inspect --blocks lists the blocks of the kind that the model is", async () => {
    const { stdout } = await runCli(["inspect", at("a.safetensors"), "--blocks"]);
    expect(stdout).toMatch(/^VAE, part of BASE +2 +4 /m);
    expect(stdout).toMatch(
      /^IN04 +1 +2 .* model\.diffusion_model\.input_blocks\.4\.0\.in_layers\.0\.weight$/m,
    );
    expect(stdout).toMatch(
      /^Stable Diffusion XL: "blocks: sdxl" of a recipe takes a list of 20, 19 or 21 values/m,
    );
    const { stderr, code } = await runCli(["inspect", at("vae.safetensors"), "--blocks"]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/it has those of none of sd1, sdxl, sd3/)]);
  });

  it("isthmus merge gives each block its weight, and --explain says which", async () => {
    const weights = UNET.map((_, i) => i / 20);
    const lines = [
      "merge_method: task_arithmetic",
      `base_model: ${at("a.safetensors")}`,
      `models: [{ model: ${at("b.safetensors")} }]`,
      `parameters: { weight: [{ blocks: sdxl, value: "${weights.join(",")}" }, { value: 0 }] }`,
    ];
    writeFileSync(at("recipe.yml"), lines.join("\n"));
    const explained = await runCli(["merge", at("recipe.yml"), "--explain", "input_blocks.4"]);
    expect(explained.stdout).toMatch(
      /weight 0\.2 \(.*recipe\.yml:4: parameters\.weight\[0\]\.value, block IN04\)/,
    );
    expect(
      await runCli(["merge", at("recipe.yml"), "--no-check", "-o", at("merged.safetensors")]),
    ).toMatchObject({
      code: 0,
    });
    const list = `sdxl=${[0, ...weights].join(",")}`;
    const [a, b] = [at("a.safetensors"), at("b.safetensors")];
    const words = ["merge", a, b, "--blocks", list, "--no-check", "-o", at("listed.safetensors")];
    expect(await runCli(words)).toMatchObject({ code: 0 });
    const { same } = await runJson<{ same: boolean }>([
      "inspect",
      at("merged.safetensors"),
      at("listed.safetensors"),
    ]);
    expect(same).toBe(true);
    const few = await runCli([...words.slice(0, 4), "sdxl=1,2", "-o", at("x.safetensors")]);
    expect(few.stderr).toMatch(
      /must have as many values as Stable Diffusion XL \(sdxl\) has blocks, 20 \(BASE, IN00/,
    );
    const three = await runCli([...words.slice(0, 3), a, ...words.slice(3)]);
    expect(three.stderr).toMatch(/--blocks as there must be two checkpoints: got 3/);
    for (const [i, name] of UNET.entries())
      expect(await firstOf("merged.safetensors", `model.diffusion_model.${name}`)).toBeCloseTo(1 + i / 40, 6);
    expect(await firstOf("merged.safetensors", `first_stage_model.${VAE[0]}`)).toBe(1);
  });

  it("isthmus convert bakes an autoencoder and uses averages of weights", async () => {
    const words = ["--vae", at("vae.safetensors"), "--ema", "use", "--dtype", "f16"];
    const run = await runCli(["convert", at("trained.safetensors"), at("baked.safetensors"), ...words]);
    expect([run.code, run.stderr]).toEqual([0, ""]);
    const { tensors } = await runJson<{ tensors: { name: string; dtype: string }[] }>([
      "inspect",
      at("baked.safetensors"),
    ]);
    expect(tensors.map(({ name }) => name)).not.toContainEqual(expect.stringMatching(/^model_ema/));
    expect(tensors).toHaveLength(UNET.length + VAE.length);
    expect(new Set(tensors.map(({ dtype }) => dtype))).toEqual(new Set(["f16"]));
    expect(await firstOf("baked.safetensors", `first_stage_model.${VAE[1]}`)).toBe(7);
    const wrong = await runCli([
      "convert",
      at("a.safetensors"),
      at("x.safetensors"),
      "--vae",
      at("b.safetensors"),
      "--untie",
    ]);
    expect(wrong.stderr).toMatch(/Cannot write a model whose head is its own with --vae/);
  });

  it("isthmus merge saves networks of diffusers under the name that diffusers loads", async () => {
    for (const [name, value] of [
      ["a", 1],
      ["b", 2],
    ] as const) {
      await save(`${name}/diffusion_pytorch_model.safetensors`, ["conv_in.bias"], value);
      writeFileSync(at(`${name}/config.json`), JSON.stringify({ _class_name: "UNet2DConditionModel" }));
    }
    expect(await runCli(["merge", at("a"), at("b"), "--no-check", "-o", at("mean")])).toMatchObject({
      code: 0,
    });
    const named = ["config.json", "diffusion_pytorch_model.safetensors"];
    expect(readdirSync(at("mean")).sort()).toEqual(named);
    const recipe = `merge_method: linear\nmodels: [{ model: ${at("a")} }, { model: ${at("b")} }]`;
    writeFileSync(at("linear.yml"), recipe);
    expect(await runCli(["merge", at("linear.yml"), "--no-check", "-o", at("linear")])).toMatchObject({
      code: 0,
    });
    expect(readdirSync(at("linear")).sort()).toEqual(["README.md", ...named, "recipe.yml"]);
    expect(readFileSync(at("linear/README.md"), "utf8")).toMatch(/^library_name: diffusers$/m);
  });
});
