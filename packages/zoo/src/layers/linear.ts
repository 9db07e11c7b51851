import { at } from "@isthmus/core";
import { gemm, type Value } from "@isthmus/graph/builder";
import { type LayerInitializer, TORCH_DEFAULT } from "../initializer.ts";
import type { NetworkBuilder } from "../network-builder.ts";

/** Options of {@link linear}. */
export interface LinearOptions {
  /** Number of outputs. */
  readonly out: number;
  /** Initializer of weight and bias. @defaultValue the one of `torch.nn.Linear` */
  readonly initializer?: LayerInitializer;
  /** Whether the layer has a bias. @defaultValue true */
  readonly bias?: boolean;
  /** Whether the weight is `[in, out]`, as GPT-2 stores it, instead of `[out, in]`. @defaultValue false */
  readonly inputFirst?: boolean;
}

/** Maps rows `[rows, in]` linearly to `[rows, out]`, with the weights `name.weight` and `name.bias`. */
export function linear(
  network: NetworkBuilder,
  x: Value,
  name: string,
  { out, initializer = TORCH_DEFAULT, bias = true, inputFirst = false }: LinearOptions,
): Value {
  const fanIn = at(x.shape, 1, "axis");
  const shape = inputFirst ? [fanIn, out] : [out, fanIn];
  const weight = network.weight(`${name}.weight`, shape, initializer.weight(fanIn, out));
  const shift = bias ? network.weight(`${name}.bias`, [out], initializer.bias(fanIn)) : undefined;
  return gemm(x, weight, { transB: !inputFirst, ...(shift === undefined ? {} : { bias: shift }) });
}
