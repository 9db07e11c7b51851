import { at } from "@isthmus/core";
import { countRouters, type GateContext, type LayerGates } from "../gate-mode.ts";
import { openPromptEncoder } from "./encode-prompts.ts";

/** Vectors of some prompts together, one of the model's width for each layer. */
export type PromptVectors = readonly Float32Array[];

/** The positive or the negative prompts of an expert. */
export interface PromptList {
  /** Token ids of each prompt. */
  readonly prompts: readonly Int32Array[];
  /** Index of the expert. */
  readonly expert: number;
  /** Sign of the vector of the prompts in the gate. */
  readonly sign: number;
}

/** Smallest norm by which a vector is divided, as in mergekit. */
const LEAST_NORM = 1e-8;

/**
 * Makes the gates of experts from prompts: for each layer the vector of an expert's positive prompts, less
 * the vector of its negative prompts, divided by its norm.
 *
 * Source: mergekit 0.1.5, `mergekit.moe.router.get_gate_params`.
 * @param vectorsOf - returns the vectors of each of some lists of prompts, which are given together so that
 *   a network is run once
 */
export async function gatesOfPrompts(
  context: GateContext,
  vectorsOf: (lists: readonly PromptList[]) => Promise<readonly PromptVectors[]>,
): Promise<readonly LayerGates[]> {
  const { base, experts } = context;
  const { width } = base;
  const encode = await openPromptEncoder(base);
  const lists = experts.flatMap(({ recipe }, expert): readonly PromptList[] => {
    const { positive_prompts: positives = [], negative_prompts: negatives = [] } = recipe;
    const signs = [
      { texts: positives, expert, sign: 1 },
      { texts: negatives, expert, sign: -1 },
    ];
    const used = signs.filter(({ texts }) => texts.length > 0);
    return used.map(({ texts, ...rest }) => ({ ...rest, prompts: texts.map((text) => encode(text)) }));
  });
  const gates = Array.from({ length: countRouters(context) }, () => new Float32Array(experts.length * width));
  for (const [index, vectors] of (await vectorsOf(lists)).entries()) {
    const { expert, sign } = at(lists, index, "list");
    for (const [layer, vector] of vectors.entries()) {
      const row = at(gates, layer, "layer").subarray(expert * width, (expert + 1) * width);
      for (let i = 0; i < width; i++) row[i] = at(row, i) + sign * at(vector, i);
    }
  }
  for (const gate of gates)
    for (let begin = 0; begin < gate.length; begin += width) normalize(gate.subarray(begin, begin + width));
  return gates;
}

/** Divides a vector by its norm, which counts as 1e-8 at least. */
export function normalize(vector: Float32Array): void {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const norm = Math.max(Math.sqrt(squares), LEAST_NORM);
  for (let i = 0; i < vector.length; i++) vector[i] = at(vector, i) / norm;
}
