import { createTensor, InputError, InvariantError, readJsonFile, type Tensor } from "@isthmus/core";
import { type Engine, extractSubgraph, type Graph, runInSegments } from "@isthmus/graph";
import { join } from "@isthmus/platform";
import { networkOfConfig } from "@isthmus/zoo";
import type { DenseModel } from "../dense-model.ts";
import type { GateContext } from "../gate-mode.ts";
import { findHeadInput } from "./head-input.ts";

/** Prompts that are run through a model. */
export interface HiddenRun {
  /** The model. */
  readonly base: DenseModel;
  /** Hidden states that are visited, see `GateContext`. */
  readonly reads: GateContext["reads"];
  /** Token ids of each prompt, at least one. */
  readonly prompts: readonly Int32Array[];
  /** Engine that runs the model. */
  readonly engine: Engine;
  /** Signal that stops the run. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /** Called with the share of the run that is done, in `[0, 1]`. @defaultValue not told */
  readonly onProgress?: ((done: number) => void) | undefined;
}

/** Bytes of the largest value of a run from which on prompts are run one after another. */
const BATCH_BYTES = 2 ** 28;
/** Most bytes of the largest value of a run of one prompt. */
const MOST_BYTES = 2 ** 30;
/** Bytes of computed values at which the weights that are held change: few, so that few weights are held. */
const SEGMENT_BYTES = 2 ** 21;

/**
 * Runs prompts through a model and visits their hidden states: the rows that each layer reads from the
 * residual stream, before its norm; or the rows that the head reads, as if of a layer 0.
 *
 * Prompts are padded behind their last token, which a causal model does not see. The graph is run in
 * segments, so that few of the weights are in memory at once, and not beyond the last of the visited rows.
 *
 * @param visit - called for each layer and prompt, in any order, with states `[tokens, width]`
 * @throws UnsupportedError if the family of the model has no graph
 * @throws InputError if a prompt has more tokens than the model has positions, or takes too much memory
 */
export async function visitHiddenStates(
  { base, reads, prompts, engine, signal, onProgress }: HiddenRun,
  visit: (layer: number, states: Float32Array, prompt: number) => void,
): Promise<void> {
  const { checkpoint, directory, width, layers } = base;
  const source = join(directory, "config.json");
  const config = await readJsonFile(source, { format: "config", within: directory, pythonNumbers: true });
  const network = networkOfConfig(config, { tensors: checkpoint.tensors, source });
  for (const { length } of prompts) assertLength(base, length, network.maxLength);
  const batches = batchesOf(base, prompts);
  for (const [done, batch] of batches.entries()) {
    const length = Math.max(...batch.map(({ ids }) => ids.length));
    const { graph } = network.ofLength(length);
    const names = reads === "last" ? [findHeadInput(graph)] : findLayerInputs(graph, layers);
    const layerOf = new Map(names.map((name, layer) => [name, layer]));
    const part = extractSubgraph(graph, graph.inputs, names);
    const inputs = new Map(part.inputs.map(({ name }) => [name, padPrompts(batch, length)]));
    const run = { inputs, networks: [checkpoint], segmentBytes: SEGMENT_BYTES, signal };
    await runInSegments({ graph: part, engine }, run, (name, [tensor]) => {
      const layer = layerOf.get(name);
      if (layer === undefined || tensor === undefined) return;
      const states = tensor.data as Float32Array;
      for (const [row, prompt] of batch.entries()) {
        const begin = row * length * width;
        visit(layer, states.subarray(begin, begin + prompt.ids.length * width), prompt.index);
      }
      onProgress?.((done + (layer + 1) / names.length) / batches.length);
    });
  }
}

/** Returns the token ids of prompts as a tensor `[prompts, length]`, with zeros behind shorter prompts. */
function padPrompts(prompts: readonly PlacedPrompt[], length: number): Tensor {
  const data = new BigInt64Array(prompts.length * length);
  for (const [row, { ids }] of prompts.entries())
    ids.forEach((id, i) => {
      data[row * length + i] = BigInt(id);
    });
  return createTensor("i64", [prompts.length, length], data);
}

/** Returns the bytes of the largest value that a model computes of a number of prompts of one length. */
function bytesOfRun({ hidden, heads }: DenseModel, prompts: number, length: number): number {
  return 4 * prompts * length * Math.max(hidden, heads * length);
}

function assertLength(base: DenseModel, length: number, positions = Number.POSITIVE_INFINITY): void {
  const rule =
    length > positions
      ? `have at most ${positions} tokens, its number of positions`
      : bytesOfRun(base, 1, length) > MOST_BYTES
        ? "take at most 1 GiB for the scores of one attention"
        : undefined;
  if (rule === undefined) return;
  throw new InputError(
    `Cannot run a prompt through "${base.directory}" as it must ${rule}: it has ${length} tokens; shorten it, or choose gate_mode: cheap_embed`,
    { input: base.directory },
  );
}

/** A prompt with its position in the list. */
interface PlacedPrompt {
  readonly ids: Int32Array;
  readonly index: number;
}

/** Puts prompts of like length together, such that none of the batches is too large with its padding. */
function batchesOf(base: DenseModel, prompts: readonly Int32Array[]): readonly (readonly PlacedPrompt[])[] {
  const sorted = prompts.map((ids, index) => ({ ids, index })).sort((a, b) => a.ids.length - b.ids.length);
  const batches: PlacedPrompt[][] = [];
  for (const prompt of sorted) {
    const last = batches.at(-1);
    const bytes = bytesOfRun(base, (last?.length ?? 0) + 1, prompt.ids.length);
    if (last === undefined || bytes > BATCH_BYTES) batches.push([prompt]);
    else last.push(prompt);
  }
  return batches;
}

/**
 * Finds the value that each layer of a decoder reads from the residual stream: the rows that its first norm
 * divides by their root mean square, before it multiplies them by its weight.
 */
function findLayerInputs(graph: Graph, layers: number): readonly string[] {
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
