import { at } from "@isthmus/core";
import { add, cast } from "../../builder/operators/elementwise.ts";
import { gather } from "../../builder/operators/layout.ts";
import { gemm, matMul } from "../../builder/operators/linear.ts";
import { Flow } from "../flow.ts";
import { type BuildLayer, onlyInput } from "../layer-context.ts";
import { ownActivation } from "./activation.ts";

const dense: BuildLayer = (context) => {
  const { config, weight } = context;
  const x = onlyInput(context).last();
  const kernel = weight("kernel", [at(x.shape, x.shape.length - 1, "axis"), -1]);
  const bias = config.boolean("use_bias", true) ? weight("bias", kernel.shape.slice(1)) : undefined;
  if (x.shape.length === 2) {
    return ownActivation(Flow.last(gemm(x, kernel, bias === undefined ? {} : { bias })), config);
  }
  const product = matMul(x, kernel);
  return ownActivation(Flow.last(bias === undefined ? product : add(product, bias)), config);
};

const embedding: BuildLayer = (context) => {
  const { config, weight } = context;
  config.assert("mask_zero", !config.boolean("mask_zero", false), "false");
  const indices = cast(onlyInput(context).last(), "i64");
  return Flow.last(gather(weight("embeddings", [-1, -1]), indices));
};

/** Layers with one matrix. */
export const DENSE_LAYERS: Readonly<Record<string, BuildLayer>> = { Dense: dense, Embedding: embedding };
