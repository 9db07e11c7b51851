import { describe, expect, it } from "vitest";
import { createCheckpoint } from "../../checkpoint/create-checkpoint.ts";
import { fromFloat64Into, toFloat64 } from "../../tensor/convert.ts";
import { DTYPES, type DType } from "../../tensor/dtype.ts";
import { sizeOf } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { readQuantized } from "./read-quantized.ts";

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
