import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCheckpoint } from "../../checkpoint/create-checkpoint.ts";
import { fromFloat64Into, toFloat64 } from "../../tensor/convert.ts";
import { DTYPES, type DType } from "../../tensor/dtype.ts";
import { sizeOf } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { readQuantized } from "./read-quantized.ts";
import { scaleFloats } from "./write-scaled-floats.ts";

function tensorOf(dtype: DType, shape: readonly number[], values: readonly number[]): Tensor {
  const data = new DTYPES[dtype].array(sizeOf(shape));
  fromFloat64Into(Float64Array.from(values), dtype, data);
  return { dtype, shape, data };
}

const weight = tensorOf("f8e4m3", [2, 2], [1, -2, 0.5, 448]);
const bias = tensorOf("f16", [2], [1, 2]);
const settings = tensorOf("u8", [3], [123, 34, 125]);

describe("8-bit floats of ComfyUI", () => {
  const PREFIX = "model.diffusion_model.double_blocks.0.img_attn.proj";
  const forms: Readonly<Record<string, Readonly<Record<string, Tensor>>>> = {
    "with scale_weight": {
      scaled_fp8: tensorOf("f8e4m3", [0], []),
      "model.diffusion_model.scaled_fp8": tensorOf("f8e4m3", [2], [1, 1]),
      [`${PREFIX}.weight`]: weight,
      [`${PREFIX}.bias`]: bias,
      [`${PREFIX}.scale_weight`]: tensorOf("f32", [], [0.25]),
      [`${PREFIX}.scale_input`]: tensorOf("f32", [], [3]),
    },
    "with comfy_quant": {
      [`${PREFIX}.weight`]: weight,
      [`${PREFIX}.bias`]: bias,
      [`${PREFIX}.weight_scale`]: tensorOf("f32", [1], [0.25]),
      [`${PREFIX}.input_scale`]: tensorOf("f32", [1], [3]),
      [`${PREFIX}.comfy_quant`]: settings,
    },
  };

  it.each(Object.entries(forms))(
    "%s are read as bf16, and nothing else of them is listed",
    async (_, form) => {
      const read = await readQuantized(
        createCheckpoint(form, { _quantization_metadata: "{}", format: "pt" }),
      );
      expect(read.metadata).toEqual({ format: "pt" });
      expect([...read.tensors].map(([name, { dtype, stored }]) => [name, dtype, stored])).toEqual([
        [`${PREFIX}.weight`, "bf16", "f8e4m3 with scales"],
        [`${PREFIX}.bias`, "f16", undefined],
      ]);
      const { data, dtype } = await read.read(`${PREFIX}.weight`);
      expect([...toFloat64(data, dtype)]).toEqual([0.25, -0.5, 0.125, 112]);
    },
  );

  it("beside weights of other kinds, or with other scales, are refused", async () => {
    const nvfp4 = createCheckpoint({
      "x.weight": tensorOf("u8", [2, 1], [1, 2]),
      "x.weight_scale": tensorOf("f8e4m3", [2, 1], [1, 1]),
      "x.comfy_quant": settings,
    });
    await expect(readQuantized(nvfp4)).rejects.toThrow(
      /"x.weight" .* must be 8-bit floats with scales: it is u8/,
    );
    const { "x.comfy_quant": _settings, ...tensors } = Object.fromEntries(nvfp4.tensors) as Record<
      string,
      Tensor
    >;
    const layers = { x: { format: "nvfp4" } };
    const described = createCheckpoint(tensors, { _quantization_metadata: JSON.stringify({ layers }) });
    await expect(readQuantized(described)).rejects.toThrow(/must be 8-bit floats with scales: it is u8/);
    const alone = createCheckpoint({ "x.comfy_quant": settings });
    await expect(readQuantized(alone)).rejects.toThrow(/it is missing/);
    const scales = tensorOf("f32", [3], [1, 1, 1]);
    const wrong = createCheckpoint({ "x.weight": weight, "x.scale_weight": scales });
    await expect(readQuantized(wrong)).rejects.toThrow(/"x.scale_weight" is f32 \[3\]/);
  });
});

describe("scaleFloats()", () => {
  const MAIN = "model.diffusion_model.";

  it("stores the bits that PyTorch stores, which are read as the same numbers", async () => {
    const file = new URL("../../../test-fixtures/formats/scaled-floats.json.golden", import.meta.url);
    const golden = JSON.parse(readFileSync(file, "utf8"));
    const matrix = tensorOf("f32", golden.shape, golden.weight);
    const scaled = scaleFloats(createCheckpoint({ "x.weight": matrix }));
    expect([...((await scaled.read("x.weight")).data as Uint8Array)]).toEqual(golden.codes);
    expect((await scaled.read("x.scale_weight")).data).toEqual(Float32Array.of(golden.scale));
    const { dtype, data } = await (await readQuantized(scaled)).read("x.weight");
    expect([dtype, [...toFloat64(data, dtype)]]).toEqual(["bf16", golden.read]);
  });

  it("scales matrices of the main network, and keeps all else", async () => {
    const matrix = tensorOf("f16", [2, 2], [1, -2, 0.5, 4]);
    const kept = {
      [`${MAIN}norm.weight`]: bias,
      [`${MAIN}conv.weight`]: tensorOf("f16", [1, 1, 1, 1], [1]),
      [`${MAIN}pos_embed`]: matrix,
      [`${MAIN}token_embedding.weight`]: matrix,
      "first_stage_model.x.weight": matrix,
    };
    const scaled = scaleFloats(createCheckpoint({ [`${MAIN}x.weight`]: matrix, ...kept }));
    expect([...scaled.tensors.keys()]).toEqual([
      ...[`${MAIN}x.weight`, `${MAIN}x.scale_weight`],
      ...Object.keys(kept),
      `${MAIN}scaled_fp8`,
    ]);
    for (const [name, tensor] of Object.entries(kept)) expect(await scaled.read(name)).toEqual(tensor);
    const read = await readQuantized(scaled);
    expect([...read.tensors.keys()]).toEqual([`${MAIN}x.weight`, ...Object.keys(kept)]);
  });

  it("errs by half a step of 8-bit floats at most, and reads ranges as the whole", async () => {
    const numbers = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), {
      minLength: 2,
      maxLength: 9,
    });
    await fc.assert(
      fc.asyncProperty(numbers, async (values) => {
        const matrix = tensorOf("f32", [1, values.length], values);
        const scaled = scaleFloats(createCheckpoint({ weight: matrix }));
        const { data } = await scaled.read("weight");
        expect(await scaled.readRange("weight", 1, values.length)).toEqual(data.subarray(1));
        const [scale = 0] = toFloat64((await scaled.read("scale_weight")).data, "f32");
        const largest = Math.max(...values.map(Math.abs));
        // Scales below the normal numbers of float32 have fewer bits.
        fc.pre(largest === 0 || scale > 2 ** -126);
        for (const [i, code] of toFloat64(data, "f8e4m3").entries()) {
          const value = values[i] ?? 0;
          const allowed = Math.max(Math.abs(value) / 16, scale * 2 ** -10) * (1 + 1e-6);
          expect(Math.abs(code * scale - value)).toBeLessThanOrEqual(allowed);
        }
      }),
    );
  });

  it("refuses checkpoints without matrices, and numbers that are not finite", async () => {
    expect(() => scaleFloats(createCheckpoint({ bias }))).toThrow(/must have weights that are matrices/);
    const infinite = createCheckpoint({ weight: tensorOf("f32", [1, 2], [1, Number.POSITIVE_INFINITY]) });
    await expect(scaleFloats(infinite).read("weight")).rejects.toThrow(/1 of 2 is infinite/);
    const zeros = scaleFloats(createCheckpoint({ weight: tensorOf("f32", [1, 2], [0, 0]) }));
    expect((await zeros.read("scale_weight")).data).toEqual(Float32Array.of(1));
  });
});
