import { at } from "@isthmus/core";
import { countRouters, engineOf, type GateContext, type GateMode, type LayerGates } from "../gate-mode.ts";
import { gatesOfPrompts } from "./gates-of-prompts.ts";
import { visitHiddenStates } from "./hidden-states.ts";

/** Gates from the hidden states of the last token of the prompts, before each layer. */
export const hiddenLast: GateMode = {
  name: "hidden",
  also: ["hidden_last"],
  description: "Hidden states of the base at the last token of each prompt, before each layer.",
  needsPrompts: true,
  compute: (context) => meanStates(context, "hidden", lastOf),
};

/**
 * Gates from the mean of the hidden states of all tokens of each prompt, before each layer. Differs from
 * mergekit 0.1.5, which also counts the padding of prompts that are shorter than the longest of their list.
 */
export const hiddenAverage: GateMode = {
  name: "hidden_avg",
  description: "Hidden states of the base, as the mean of the tokens of each prompt, before each layer.",
  needsPrompts: true,
  compute: (context) => meanStates(context, "hidden_avg", averageOf),
};

/** Function that makes one vector of the states of a prompt, `[tokens, width]`, and adds it to `sum`. */
type AddVector = (states: Float32Array, width: number, sum: Float64Array) => void;

/** Makes gates from the mean over the prompts of a list of the vectors that a function makes of each. */
function meanStates(context: GateContext, mode: string, add: AddVector): Promise<readonly LayerGates[]> {
  const { base, reads, signal, onProgress } = context;
  const routers = countRouters(context);
  const engine = engineOf(context, mode);
  return gatesOfPrompts(context, async (lists) => {
    const sums = lists.map(() => Array.from({ length: routers }, () => new Float64Array(base.width)));
    const prompts = lists.flatMap((list, index) => list.prompts.map((ids) => ({ ids, index })));
    const run = { base, reads, engine, signal, onProgress, prompts: prompts.map(({ ids }) => ids) };
    await visitHiddenStates(run, (layer, states, prompt) => {
      const { index } = at(prompts, prompt, "prompt");
      add(states, base.width, at(at(sums, index, "list"), layer, "layer"));
    });
    return sums.map((vectors, index) => {
      const count = at(lists, index, "list").prompts.length;
      return vectors.map((sum) => Float32Array.from(sum, (value) => value / count));
    });
  });
}

const lastOf: AddVector = (states, width, sum) => {
  for (let i = 0; i < width; i++) sum[i] = at(sum, i) + at(states, states.length - width + i);
};

const averageOf: AddVector = (states, width, sum) => {
  const tokens = states.length / width;
  for (let i = 0; i < states.length; i++) sum[i % width] = at(sum, i % width) + at(states, i) / tokens;
};
