import { join } from "node:path";
import { readLayersModel } from "@isthmus/graph";
import { deepen } from "../bombs.ts";
import { mutateBytes } from "../mutate/mutate-bytes.ts";
import { mutateJson, writeJson } from "../mutate/mutate-json.ts";
import { readTensors } from "../read-tensors.ts";
import type { FuzzTarget } from "../target.ts";

const layer = (class_name: string, name: string, config: object) => ({
  class_name,
  config: { name, ...config },
});
const weight = (name: string, shape: readonly number[]) => ({ name, shape, dtype: "float32" });

const MODEL = {
  format: "layers-model",
  modelTopology: {
    class_name: "Sequential",
    config: {
      name: "small",
      layers: [
        layer("Conv2D", "conv", {
          batch_input_shape: [null, 4, 4, 1],
          filters: 2,
          kernel_size: [3, 3],
          strides: [1, 1],
          padding: "same",
          activation: "relu",
          use_bias: true,
        }),
        layer("MaxPooling2D", "pool", { pool_size: [2, 2], strides: [2, 2], padding: "valid" }),
        layer("Flatten", "flatten", {}),
        layer("Dense", "dense", { units: 3, activation: "softmax", use_bias: true }),
      ],
    },
  },
  weightsManifest: [
    { paths: ["a.bin", "b.bin"], weights: [weight("conv/kernel", [3, 3, 1, 2]), weight("conv/bias", [2])] },
    {
      paths: ["c.bin"],
      weights: [
        { ...weight("dense/kernel", [8, 3]), quantization: { dtype: "uint8", scale: 0.1, min: -1 } },
        weight("dense/bias", [3]),
      ],
    },
  ],
};
const FILES = { "a.bin": Buffer.alloc(40, 1), "b.bin": Buffer.alloc(40, 2), "c.bin": Buffer.alloc(36, 3) };

/**
 * Makes models of TensorFlow.js of changed layers and weights, and reads them as checkpoints and as graphs.
 */
export function createLayersModelTarget(): FuzzTarget {
  return {
    name: "layers model",
    valid: () => [{ ...FILES, "model.json": JSON.stringify(MODEL) }],
    *bombs() {
      for (const text of deepen(MODEL)) yield { ...FILES, "model.json": text };
    },
    make(dice) {
      const text = dice.chance(0.85)
        ? writeJson(dice, mutateJson(dice, MODEL))
        : mutateBytes(dice, Buffer.from(JSON.stringify(MODEL)));
      return { ...FILES, "model.json": text };
    },
    async read(folder) {
      const path = join(folder, "model.json");
      await readTensors(path);
      const { checkpoint } = await readLayersModel(path);
      await checkpoint.close();
    },
  };
}
