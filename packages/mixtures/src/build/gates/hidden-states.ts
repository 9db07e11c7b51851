import { createTensor, InputError, InvariantError, readJsonFile } from "@isthmus/core";
import { type Engine, type Graph, runInSegments } from "@isthmus/graph";
import { join } from "@isthmus/platform";
import { networkOfConfig } from "@isthmus/zoo";
import type { DenseModel } from "../dense-model.ts";

/** Prompts that are run through a model. */
export interface HiddenRun {
  /** The model. */
  readonly base: DenseModel;
  /** Token ids of each prompt, at least one. */
  readonly prompts: readonly Int32Array[];
  /** Engine that runs the model. */
  readonly engine: Engine;
  /** Signal that stops the run. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
}

/** Most tokens that are run at once, padding included. */
const MOST_TOKENS = 4096;
/** Most tokens of a prompt. */
const LONGEST = 2 ** 15;
/** Bytes of computed values at which the weights that are held change: few, so that few weights are held. */
const SEGMENT_BYTES = 2 ** 21;

/**
 * Runs prompts through a model and visits their hidden states: the rows that each layer reads from the
 * residual stream, before its norm.
 *
 * Prompts are padded behind their last token, which a causal model does not see. The graph is run in
 * segments, so that few of the weights are in memory at once.
 *
 * @param visit - called for each layer and prompt, in any order, with states `[tokens, width]`
 * @throws UnsupportedError if the family of the model has no graph
 * @throws InputError if a prompt has more tokens than the model has positions
 */
export async function visitHiddenStates(
  { base, prompts, engine, signal }: HiddenRun,
  visit: (layer: number, states: Float32Array, prompt: number) => void,
): Promise<void> {
  const { checkpoint, directory, width } = base;
  const source = join(directory, "config.json");
  const config = await readJsonFile(source, { format: "config", within: directory, pythonNumbers: true });
  const network = networkOfConfig(config, { tensors: checkpoint.tensors, source });
  const longest = Math.min(network.maxLength ?? LONGEST, LONGEST);
  for (const { length } of prompts) if (length > longest) throw tooLong(base, length, longest);
  for (const batch of batchesOf(prompts)) {
    const length = Math.max(...batch.map(({ ids }) => ids.length));
    const { graph } = network.ofLength(length);
    const layerOf = new Map(findLayerInputs(graph, base.layers).map((name, layer) => [name, layer]));
    const ids = createTensor("i64", [batch.length, length], new BigInt64Array(batch.length * length));
    for (const [row, prompt] of batch.entries())
      prompt.ids.forEach((id, i) => {
        ids.data[row * length + i] = BigInt(id);
      });
    const [input] = graph.inputs;
    if (input === undefined) throw new InvariantError("A language model has an input");
    await runInSegments(
      { graph, engine },
      { inputs: new Map([[input.name, ids]]), networks: [checkpoint], segmentBytes: SEGMENT_BYTES, signal },
      (name, [tensor]) => {
        const layer = layerOf.get(name);
        if (layer === undefined || tensor === undefined) return;
        const states = tensor.data as Float32Array;
        for (const [row, prompt] of batch.entries()) {
          const begin = row * length * width;
          visit(layer, states.subarray(begin, begin + prompt.ids.length * width), prompt.index);
        }
      },
    );
  }
}

function tooLong({ directory }: DenseModel, length: number, longest: number): InputError {
  return new InputError(
    `Cannot run a prompt through "${directory}" as it must have at most ${longest} tokens, its number of positions: it has ${length}; shorten it, or choose gate_mode: cheap_embed`,
    { input: directory },
  );
}

/** A prompt with its position in the list. */
interface PlacedPrompt {
  readonly ids: Int32Array;
  readonly index: number;
}

/** Puts prompts of like length together, such that none of the batches is too large with its padding. */
function batchesOf(prompts: readonly Int32Array[]): readonly (readonly PlacedPrompt[])[] {
  const sorted = prompts.map((ids, index) => ({ ids, index })).sort((a, b) => a.ids.length - b.ids.length);
  const batches: PlacedPrompt[][] = [];
  for (const prompt of sorted) {
    const last = batches.at(-1);
    if (last === undefined || (last.length + 1) * prompt.ids.length > MOST_TOKENS) batches.push([prompt]);
    else last.push(prompt);
  }
  return batches;
}

/**
 * Finds the value that each layer of a decoder reads from the residual stream: the rows that its first norm
 * divides by their root mean square, before it multiplies them by its weight.
 */
export function findLayerInputs(graph: Graph, layers: number): readonly string[] {
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
  return Array.from({ length: layers }, (_, layer) => {
    const weight = [...graph.weights.keys()].find((name) =>
      name.endsWith(`layers.${layer}.input_layernorm.weight`),
    );
    const scaled = graph.nodes.find(({ inputs }) => weight !== undefined && inputs.includes(weight));
    const divided = scaled?.inputs.find((name) => name !== weight) ?? "";
    const rows = makers.get(divided)?.inputs[0];
    if (rows === undefined) throw new InvariantError(`Layer ${layer} has no norm before its attention`);
    return rows;
  });
}
