import type { Random } from "@isthmus/core";

/** Fills a weight with its initial numbers. */
export type Initializer = (random: Random, out: Float32Array) => void;

/** Returns an initializer that sets every element to one value. */
export function constant(value: number): Initializer {
  return (_, out) => {
    out.fill(value);
  };
}

/** Returns an initializer that draws independent normal numbers of mean 0 and a standard deviation. */
export function normal(deviation: number): Initializer {
  return (random, out) => {
    for (let i = 0; i < out.length; i++) out[i] = deviation * random.normal();
  };
}

/** Returns an initializer that draws independent numbers, uniform in `[-bound, bound)`. */
function uniform(bound: number): Initializer {
  return (random, out) => {
    for (let i = 0; i < out.length; i++) out[i] = bound * (2 * random.uniform() - 1);
  };
}

/** Initializers of the weight and the bias of a layer. */
export interface LayerInitializer {
  /**
   * Maker of the weight's initializer, from the number of inputs on which an output depends and the number of
   * outputs that an input reaches.
   */
  readonly weight: (fanIn: number, fanOut: number) => Initializer;
  /** Maker of the bias's initializer, from the number of inputs on which an output depends. */
  readonly bias: (fanIn: number) => Initializer;
}

const zeroBias = () => constant(0);

/** Weight and bias uniform in `[-1 / sqrt(fanIn), 1 / sqrt(fanIn))`, as in `torch.nn.Linear` and `Conv2d`. */
export const TORCH_DEFAULT: LayerInitializer = {
  weight: (fanIn) => uniform(1 / Math.sqrt(fanIn)),
  bias: (fanIn) => uniform(1 / Math.sqrt(fanIn)),
};

/**
 * Weight normal of variance `2 / fanOut`, which keeps gradients of equal size through layers of rectifiers;
 * bias 0.
 * @see He et al., Delving deep into rectifiers, 2015, section 2.2, equation 14
 */
export const HE_FAN_OUT: LayerInitializer = {
  weight: (_, fanOut) => normal(Math.sqrt(2 / fanOut)),
  bias: zeroBias,
};

/**
 * Weight normal of variance `2 / fanIn`, which keeps values
 * of equal size through layers of rectifiers; bias 0.
 * @see He et al., Delving deep into rectifiers, 2015, section 2.2, equation 10
 */
export const HE_FAN_IN: LayerInitializer = {
  weight: (fanIn) => normal(Math.sqrt(2 / fanIn)),
  bias: zeroBias,
};

/** Returns an initializer of layers whose weight is normal with a fixed deviation and whose bias is 0. */
export function normalWeight(deviation: number): LayerInitializer {
  return { weight: () => normal(deviation), bias: zeroBias };
}
