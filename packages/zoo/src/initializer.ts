import type { Random } from "@isthmus/core";

/** Fills a weight with the numbers training starts from. */
export type Initializer = (random: Random, out: Float32Array) => void;

/** All elements equal. */
export function constant(value: number): Initializer {
  return (_, out) => {
    out.fill(value);
  };
}

/** Independent normal numbers of mean 0. */
export function normal(deviation: number): Initializer {
  return (random, out) => {
    for (let i = 0; i < out.length; i++) out[i] = deviation * random.normal();
  };
}

/** Independent numbers, uniform in `[-bound, bound)`. */
function uniform(bound: number): Initializer {
  return (random, out) => {
    for (let i = 0; i < out.length; i++) out[i] = bound * (2 * random.uniform() - 1);
  };
}

/** How a layer's weight and bias start, by its fans: the inputs an output depends on, and the outputs an input reaches. */
export interface LayerInitializer {
  readonly weight: (fanIn: number, fanOut: number) => Initializer;
  readonly bias: (fanIn: number) => Initializer;
}

const zeroBias = () => constant(0);

/** Weight and bias uniform within `1 / sqrt(fanIn)`: what `torch.nn.Linear` and `Conv2d` start with. */
export const TORCH_DEFAULT: LayerInitializer = {
  weight: (fanIn) => uniform(1 / Math.sqrt(fanIn)),
  bias: (fanIn) => uniform(1 / Math.sqrt(fanIn)),
};

/**
 * Weight normal of variance `2 / fanOut`, which keeps gradients of one size through layers of rectifiers; bias 0.
 * @see He et al., Delving deep into rectifiers, 2015, section 2.2, equation 14
 */
export const HE_FAN_OUT: LayerInitializer = {
  weight: (_, fanOut) => normal(Math.sqrt(2 / fanOut)),
  bias: zeroBias,
};

/**
 * Weight normal of variance `2 / fanIn`, which keeps values of one size through layers of rectifiers; bias 0.
 * @see He et al., Delving deep into rectifiers, 2015, section 2.2, equation 10
 */
export const HE_FAN_IN: LayerInitializer = {
  weight: (fanIn) => normal(Math.sqrt(2 / fanIn)),
  bias: zeroBias,
};

/** Weight normal of a fixed deviation; bias 0. */
export function normalWeight(deviation: number): LayerInitializer {
  return { weight: () => normal(deviation), bias: zeroBias };
}
