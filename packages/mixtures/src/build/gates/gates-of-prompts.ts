import { at } from "@isthmus/core";
import type { GateContext, LayerGates } from "../gate-mode.ts";
import { openPromptEncoder } from "./encode-prompts.ts";

/** Vectors of some prompts together, one of the model's width for each layer. */
export type PromptVectors = readonly Float32Array[];

/** Smallest norm by which a vector is divided, as in mergekit. */
const LEAST_NORM = 1e-8;

/**
 * Makes the gates of experts from prompts: for each layer the vector of an expert's positive prompts, less
 * the vector of its negative prompts, divided by its norm.
 *
 * Source: mergekit 0.1.5, `mergekit.moe.router.get_gate_params`.
 * @param vectorsOf - returns the vectors of the prompts of one list
 */
export async function gatesOfPrompts(
  { base, experts, signal, onProgress }: GateContext,
  vectorsOf: (prompts: readonly Int32Array[]) => Promise<PromptVectors>,
): Promise<readonly LayerGates[]> {
  const { width } = base;
  const encode = await openPromptEncoder(base);
  const gates = Array.from({ length: base.layers }, () => new Float32Array(experts.length * width));
  const vectorsOfAll = (prompts: readonly string[] = []) =>
    vectorsOf(prompts.map((prompt) => encode(prompt)));
  for (const [index, { recipe }] of experts.entries()) {
    signal?.throwIfAborted();
    const { positive_prompts: wanted, negative_prompts: unwanted = [] } = recipe;
    const positive = await vectorsOfAll(wanted);
    const negative = unwanted.length === 0 ? undefined : await vectorsOfAll(unwanted);
    for (const [layer, gate] of gates.entries()) {
      const row = gate.subarray(index * width, (index + 1) * width);
      row.set(at(positive, layer, "layer"));
      if (negative !== undefined) subtract(row, at(negative, layer, "layer"));
      normalize(row);
    }
    onProgress((index + 1) / experts.length);
  }
  return gates;
}

function subtract(vector: Float32Array, other: Float32Array): void {
  for (let i = 0; i < vector.length; i++) vector[i] = at(vector, i) - at(other, i);
}

/** Divides a vector by its norm, which counts as 1e-8 at least. */
export function normalize(vector: Float32Array): void {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const norm = Math.max(Math.sqrt(squares), LEAST_NORM);
  for (let i = 0; i < vector.length; i++) vector[i] = at(vector, i) / norm;
}
