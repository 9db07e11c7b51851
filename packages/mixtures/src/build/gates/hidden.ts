import { at } from "@isthmus/core";
import { engineOf, type GateMode } from "../gate-mode.ts";
import { gatesOfPrompts, type PromptVectors } from "./gates-of-prompts.ts";
import { type HiddenRun, visitHiddenStates } from "./hidden-states.ts";

/** Gates from the hidden states of the last token of the prompts, before each layer. */
export const hiddenLast: GateMode = {
  name: "hidden",
  also: ["hidden_last"],
  description: "Hidden states of the base at the last token of each prompt, before each layer.",
  needsPrompts: true,
  compute: (context) =>
    gatesOfPrompts(context, (prompts) =>
      meanStates({ ...context, engine: engineOf(context, "hidden"), prompts }, lastOf),
    ),
};

/**
 * Gates from the mean of the hidden states of all tokens of each prompt, before each layer. Differs from
 * mergekit 0.1.5, which also counts the padding of prompts that are shorter than the longest of their list.
 */
export const hiddenAverage: GateMode = {
  name: "hidden_avg",
  description: "Hidden states of the base, as the mean of the tokens of each prompt, before each layer.",
  needsPrompts: true,
  compute: (context) =>
    gatesOfPrompts(context, (prompts) =>
      meanStates({ ...context, engine: engineOf(context, "hidden_avg"), prompts }, averageOf),
    ),
};

/** Function from the states of the tokens of a prompt, `[tokens, width]`, to one vector; added to `sum`. */
type AddVector = (states: Float32Array, width: number, sum: Float64Array) => void;

/** Returns for each layer the mean of the vectors of all prompts. */
async function meanStates(run: HiddenRun, add: AddVector): Promise<PromptVectors> {
  const { layers, width } = run.base;
  const sums = Array.from({ length: layers }, () => new Float64Array(width));
  await visitHiddenStates(run, (layer, states) => add(states, width, at(sums, layer, "layer")));
  return sums.map((sum) => Float32Array.from(sum, (value) => value / run.prompts.length));
}

const lastOf: AddVector = (states, width, sum) => {
  for (let i = 0; i < width; i++) sum[i] = at(sum, i) + at(states, states.length - width + i);
};

const averageOf: AddVector = (states, width, sum) => {
  const tokens = states.length / width;
  for (let i = 0; i < states.length; i++) sum[i % width] = at(sum, i % width) + at(states, i) / tokens;
};
