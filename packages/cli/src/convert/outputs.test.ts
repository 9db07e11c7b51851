import { describe, expect, test } from "vitest";
import { type ConvertOptions, chooseOutput } from "./outputs.ts";

describe("chooseOutput()", () => {
  test.each<[string, ConvertOptions, string]>([
    ["x.safetensors", { adapterNames: "kohya", base: "model" }, "adapter"],
    ["x/", { layout: "diffusers", base: "model", unknown: "drop" }, "diffusers"],
    ["x.safetensors", { layout: "original" }, "original"],
    ["x/", { untie: true, maxShardSize: 5e9 }, "untied"],
    ["x.onnx", {}, "onnx"],
    ["x.gguf", { dtype: "q4_0", imatrix: "im.dat", vae: "vae", ema: "drop" }, "tensors"],
  ])("writes %s with %o as %s", (output, options, kind) => {
    expect(chooseOutput(output, options).kind).toBe(kind);
  });

  test.each<[ConvertOptions, RegExp]>([
    [
      { base: "m" },
      /Cannot write the tensors of a model with --base as .*, or add --adapter-names or --layout/,
    ],
    [{ unknown: "keep" }, /Cannot write the tensors of a model with --unknown as .*, or add --layout$/],
    [{ layout: "original", base: "m" }, /Cannot write a single file of a diffusion model with --base/],
    [{ layout: "diffusers", vae: "m" }, /Cannot write a folder of diffusers with --vae/],
    [{ adapterNames: "peft", untie: true }, /Cannot write an adapter with --untie/],
    [{ graph: "g.onnx", dtype: "f16" }, /Cannot write an ONNX file with --dtype as its graph says the types/],
    [{ untie: true, dtype: "q4_0" }, /a --dtype that is an encoding or another --format than safetensors/],
    [
      { adapterNames: "peft", format: "npz" },
      /a --dtype that is an encoding or another --format than safetensors/,
    ],
  ])("refuses %o", (options, message) => {
    expect(() => chooseOutput("x.safetensors", options)).toThrow(message);
  });
});
