import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { composeCheckpoint, createCheckpoint, createTensor, entry, saveCheckpoint } from "@isthmus/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { killOnceThere, runAlone, runCli, runJson } from "../../../test/helpers/run-cli.ts";
import { fileOf, LAYOUT_CASES } from "../../merging/test/layout-files.ts";

let folder: string;
const place = (path: string) => join(folder, path);
const settingsOf = (path: string) => JSON.parse(readFileSync(place(path), "utf8")) as Record<string, unknown>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-layouts-"));
  const flux = fileOf(entry(LAYOUT_CASES, "Flux", "case"));
  const odd = createCheckpoint({ "model_ema.decay": createTensor("f32", [], Float32Array.of(0.5)) });
  const places = [flux, odd].flatMap((checkpoint) =>
    [...checkpoint.tensors.keys()].map((name) => [name, { checkpoint, name }] as const),
  );
  const file = composeCheckpoint(new Map(places), { source: "flux", metadata: { title: "tiny" } });
  await saveCheckpoint(file, place("flux.safetensors"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("isthmus convert --layout", () => {
  it("makes a folder of a single file and the same file of that folder", async () => {
    const there = await runCli(["convert", "flux.safetensors", "flux", "--layout", "diffusers"], {
      cwd: folder,
    });
    expect(there.stdout).toMatch(/^Wrote flux \(\d.*, 7 files\)$/m);
    expect(there.stderr).toMatch(
      /1 tensor, "model_ema.decay", belongs to no network .* kept in flux.unconverted/,
    );
    expect(there.stderr).toMatch(/has no tokenizer and tokenizer_2, .* --base/);
    expect(settingsOf("flux/model_index.json")).toMatchObject({
      _class_name: "FluxPipeline",
      transformer: ["diffusers", "FluxTransformer2DModel"],
      text_encoder: [null, null],
    });
    expect(settingsOf("flux/transformer/config.json")).toMatchObject({ num_layers: 2, num_single_layers: 3 });
    const back = await runCli(["convert", "flux", "back.safetensors", "--layout", "original"], {
      cwd: folder,
    });
    expect([back.code, back.stderr]).toEqual([0, ""]);
    const compared = await runJson<object>(["inspect", place("flux.safetensors"), place("back.safetensors")]);
    expect(compared).toMatchObject({ same: true });
    // Tensors that were kept aside are not those of the next file.
    const dropped = ["convert", "flux.safetensors", "flux", "--layout", "diffusers", "--unknown", "drop"];
    expect((await runCli(dropped, { cwd: folder })).stderr).toMatch(/to no network .*: left out/);
    expect(existsSync(place("flux/unconverted/model.safetensors"))).toBe(false);
  });

  it("takes settings and tokenizers of a folder, byte for byte, if they fit the shapes", async () => {
    const args = ["convert", "flux.safetensors", "with", "--layout", "diffusers", "--base", "base"];
    await runCli(["convert", "flux.safetensors", "base", "--layout", "diffusers"], { cwd: folder });
    const config = `${JSON.stringify(settingsOf("base/vae/config.json"))} `.replace("32", "32.0");
    writeFileSync(place("base/vae/config.json"), config);
    const made = await runCli(args, { cwd: folder });
    expect(made.code).toBe(0);
    expect(readFileSync(place("with/vae/config.json"), "utf8")).toBe(config);
    writeFileSync(
      place("base/vae/config.json"),
      config.replace('"latent_channels":4', '"latent_channels":16'),
    );
    const other = await runCli(args, { cwd: folder });
    expect([other.code, other.stderr]).toEqual([
      2,
      expect.stringContaining('"latent_channels" is 16 there, and the shapes say 4'),
    ]);
  });

  it("says what it cannot use", async () => {
    const cases: [string[], RegExp][] = [
      [["flux.safetensors", "x.safetensors", "--layout", "diffusers"], /a folder there: name a folder/],
      [["flux", "x/", "--layout", "original"], /name a file ending in .safetensors/],
      [["flux.safetensors", "x.safetensors", "--layout", "original"], /in the layout of diffusers/],
      [["flux.safetensors", "x", "--unknown", "drop"], /--unknown as .*, or add --layout/],
      [["flux.safetensors", "x", "--layout", "diffusers", "--dtype", "q4_0"], /has weights in safetensors/],
      [
        ["flux", "x.safetensors", "--layout", "original", "--dtype", "fp8_scaled"],
        /convert the output after/,
      ],
      [
        ["flux", "x.safetensors", "--layout", "original", "--base", "flux"],
        /with --base as it has weights in/,
      ],
      [["none", "x.safetensors", "--layout", "original"], /there is no such file or folder/],
    ];
    for (const [args, message] of cases) {
      const { code, stderr } = await runCli(["convert", ...args], { cwd: folder });
      expect({ args, code, stderr }).toEqual({ args, code: 2, stderr: expect.stringMatching(message) });
    }
    expect(readdirSync(folder).filter((name) => name.startsWith("x"))).toEqual([]);
  });

  it("killed between two networks leaves no pipeline, and completes it the next time", async () => {
    const args = ["convert", "flux.safetensors", "killed", "--layout", "diffusers"];
    await runCli(args, { cwd: folder });
    const whole = readFileSync(place("killed/vae/diffusion_pytorch_model.safetensors"));
    rmSync(place("killed/transformer"), { recursive: true });
    const first = place("killed/transformer/diffusion_pytorch_model.safetensors");
    const run = await runAlone(args, { cwd: folder, onStart: killOnceThere(first) });
    if (run.code !== 0) expect(existsSync(place("killed/model_index.json"))).toBe(false);
    expect((await runCli(args, { cwd: folder })).code).toBe(0);
    expect(existsSync(place("killed/model_index.json"))).toBe(true);
    const again = readFileSync(place("killed/vae/diffusion_pytorch_model.safetensors"));
    expect(again.equals(whole)).toBe(true);
  });
});
