import { createRandom, type Random } from "@isthmus/core";
import { countRouters, type GateContext, type GateMode, type LayerGates } from "../gate-mode.ts";

/** Gates of independent normal numbers, for a mixture that is trained on. */
export const normalGates: GateMode = {
  name: "random",
  description:
    "Independent normal numbers of mean 0 and standard deviation 1, for a mixture that is trained.",
  needsPrompts: false,
  compute: (context) => draw(context, (random) => random.normal()),
};

/** Gates as a new linear layer of PyTorch starts. */
export const uniformGates: GateMode = {
  name: "uniform_random",
  also: ["uniform"],
  description: "Numbers as a linear layer of PyTorch starts, uniform within 1 / sqrt(width) of 0.",
  needsPrompts: false,
  compute(context) {
    const bound = 1 / Math.sqrt(context.base.width);
    return draw(context, (random) => bound * (2 * random.uniform() - 1));
  },
};

/** Draws the gates of all layers; each layer has a stream of its own. */
async function draw(context: GateContext, next: (random: Random) => number): Promise<readonly LayerGates[]> {
  const { base, experts, seed } = context;
  return Array.from({ length: countRouters(context) }, (_, layer) => {
    const random = createRandom(seed, `gates of layer ${layer}`);
    return new Float32Array(experts.length * base.width).map(() => next(random));
  });
}
