import { assertFiniteTensors, type Checkpoint, sizeOf, type Tensor, withTensors } from "@isthmus/core";
import { type Architecture, assertNetwork, type BoundNetwork } from "@isthmus/graph";
import { readGains, type Symmetries } from "@isthmus/symmetry";
import type { TriedScale } from "../transfer/choose-scale.ts";
import { addTaskSums, type TaskSums } from "../transfer/kernels/task-vector.ts";
import { addTask, asStored, findWarnings, gradientOf, inGraph } from "../transfer/transfer-task.ts";
import { type MovedTask, readTask, taskWeights } from "../transfer/transferred-checkpoint.ts";
import { findMaps, moveNetwork, SAME_FUNCTION } from "./find-maps.ts";
import { readDoubles } from "./framed.ts";
import type { MapMethod } from "./map-options.ts";
import {
  type ResolvedAcrossWidths,
  resolveAcrossWidths,
  type TransferAcrossWidthsOptions,
} from "./transfer-options.ts";
import { embeddingsOf, openWidthPair, type UnitMap, unitMaps, type WidthPair } from "./width-pair.ts";

/** A base with its fine-tune, and their architecture. */
export interface TunedNetwork extends Architecture {
  /** Network before it was fine-tuned. */
  readonly base: Checkpoint | BoundNetwork;
  /** Network after it was fine-tuned. */
  readonly tuned: Checkpoint | BoundNetwork;
  /** Symmetries of the graph, if they were discovered before. @defaultValue they are discovered */
  readonly symmetries?: Symmetries | undefined;
}

/** A base of other widths, and its architecture. */
export interface BaseNetwork extends Architecture {
  /** Network to which the task is added. */
  readonly base: Checkpoint | BoundNetwork;
  /** Symmetries of the graph, if they were discovered before. @defaultValue they are discovered */
  readonly symmetries?: Symmetries | undefined;
}

/** Measures of a task vector before it is moved to other widths, and after. */
export interface TaskAcross {
  /** Norm of the task vector in the network it was made for. */
  readonly norm: number;
  /** That norm divided by the norm of the base; `null` if the latter is 0. */
  readonly relative: number | null;
  /** Norm after the move, divided by the norm before; `null` if the latter is 0. */
  readonly carried: number | null;
  /** Share of the squared norm that the mask keeps; 1 without a mask, `null` if the norm is 0. */
  readonly kept: number | null;
}

/** Summary of a transfer across widths, as plain data. */
export interface TransferAcrossWidthsSummary {
  /** Factor of the task vector that was taken. */
  readonly scale: number;
  /** Measures of the task vector over all parameters. */
  readonly task: TaskAcross;
  /** Way in which maps were found. */
  readonly maps: MapMethod;
  /** Maps of all symmetries. */
  readonly units: readonly UnitMap[];
  /** Names of the weights to which nothing is added, as they turn inputs into a residual stream. */
  readonly left: readonly string[];
  /**
   * Largest relative error of an output of base A once its own weights are moved by the maps: about 1e-6 if
   * the maps bring a network to the widths of B without changing what it computes.
   */
  readonly error: number;
  /** Loss and error at each scale on `data`, and at scale 0, which is base B alone; empty without `data`. */
  readonly tried: readonly TriedScale[];
  /** Warnings for the user, in sentences. */
  readonly warnings: readonly string[];
}

/** Result of {@link transferAcrossWidths}. */
export interface TransferAcrossWidthsResult {
  /** Base B with the task, under the graph's names; lazy, unless batch norms were recalibrated. */
  readonly network: Checkpoint;
  /** The same network under the names of base B's checkpoint. */
  readonly restored: Checkpoint;
  /** Summary of the transfer, as plain data. */
  readonly summary: TransferAcrossWidthsSummary;
}

/**
 * Moves a fine-tune to a base of other widths: base B plus `scale` times the task vector, whose two sides are
 * mapped from the units of A to the units of B: `W_B + scale * P_out (W_A' - W_A) P_in^T` (Theseus).
 *
 * The maps have orthonormal columns, are found by Procrustes on the activations of both bases on the same
 * unlabelled inputs, and are one for each residual stream, head and layer.
 *
 * Differs from the paper in: 1. spaces are the symmetries that are discovered in the graph, of any
 * architecture, and each has one map, whereas the authors find two maps for each weight, from its inputs and
 * its outputs by the names of modules; 2. heads are paired first and mapped head by head, hidden units are
 * paired one to one (unless `mixUnits`), gains of norms are moved into what reads them, and lengths are
 * corrected for the width that a norm divides by, so that the maps bring base A itself to the widths of B
 * without changing what it computes, which is checked; 3. embeddings and positions
 * move if `moveEmbeddings` asks for it, where the authors' program always leaves them.
 *
 * @throws MismatchError if the architectures differ in more than widths, or a network does not fit its graph
 * @throws InputError if a weight is NaN or infinite, or data do not fit
 * @throws UnsupportedError if an element of a gain is 0
 * @throws UsageError if activations are needed and there are no examples
 * @throws OutOfRangeError if an option is out of its range
 *
 * Source: Theseus, arXiv:2602.12952; the formula is `_transport_weight` of its program, merge-and-rebase.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, openDataSet, parseNetwork, train, transferAcrossWidths } from "isthmus";
 *
 * const data = await openDataSet("mnist:train@200");
 * const engine = createOnnxRuntimeEngine();
 * const [narrow, wide] = [parseNetwork("mlp:8x2", data), parseNetwork("mlp:12x2", data)];
 * const base = narrow.initialize(0); // a trained one, as a rule
 * const architecture = { graph: narrow.graph, engine };
 * const { weights: tuned } = await train(architecture, base, data, { seed: 0, epochs: 1 });
 *
 * const { network, summary } = await transferAcrossWidths(
 *   { ...architecture, base, tuned },
 *   { graph: wide.graph, engine, base: wide.initialize(1) },
 *   { matchData: data },
 * );
 * assert.deepEqual(network.tensors.get("layers.1.weight")?.shape, [12, 12]);
 * assert(summary.error < 1e-4);
 * ```
 */
export async function transferAcrossWidths(
  source: TunedNetwork,
  target: BaseNetwork,
  options: TransferAcrossWidthsOptions = {},
): Promise<TransferAcrossWidthsResult> {
  const resolved = resolveAcrossWidths(options);
  const { signal, onProgress, matchData, matchExamples } = resolved;
  const original = { base: inGraph(source.base), tuned: inGraph(source.tuned) };
  const base = inGraph(target.base);
  for (const [{ graph }, network] of [
    [source, original.base],
    [source, original.tuned],
    [target, base],
  ] as const) {
    assertNetwork(graph, network);
    await assertFiniteTensors("transfer a task", network);
  }
  const pair = await openWidthPair(architectureOf(source), architectureOf(target), { signal });
  const { maps, error } = await findMaps(pair, [original.base, base], {
    ...resolved,
    data: matchData,
    examples: matchExamples,
    onProgress: ({ done }) => onProgress?.({ phase: "aligning", done }),
  });
  const gains = readGains(await readDoubles(target.graph, base), pair.target.continuous.mixing);
  const movedBase = await moveNetwork(pair, original.base, maps, { gains, like: base });
  const left = resolved.moveEmbeddings ? [] : embeddingsOf(pair);
  const embeddings = new Map<string, Tensor>();
  for (const name of left) embeddings.set(name, await movedBase.read(name));
  const moved = {
    base: movedBase,
    tuned: withTensors(await moveNetwork(pair, original.tuned, maps, { gains, like: base }), embeddings),
    gradient: await gradientOf(target, base, resolved),
  };
  const task = await measureAcross(pair, original, moved, resolved);
  const { network, scale, tried } = await addTask(architectureOf(target), base, moved, resolved);
  const summary: TransferAcrossWidthsSummary = {
    scale,
    task,
    maps: resolved.maps,
    units: unitMaps(pair),
    left,
    error,
    tried,
    warnings: [...noteMaps(pair, error), ...findWarnings(original, { scale, task, tried })],
  };
  return { network, restored: asStored(target.base, network), summary };
}

/** Returns an architecture without its networks. */
function architectureOf<T extends Architecture & { readonly symmetries?: Symmetries | undefined }>({
  graph,
  engine,
  symmetries,
}: T) {
  return { graph, engine, symmetries };
}

function noteMaps({ notes }: WidthPair, error: number): string[] {
  if (error <= SAME_FUNCTION) return [];
  return [
    `base A itself computes something else at the widths of B: an output differs by ${error.toPrecision(2)} of the largest`,
    ...notes,
  ];
}

/** Number of elements that are read at once. */
const BLOCK = 2 ** 20;

/** Measures a task vector over all parameters, before it is moved and after. */
async function measureAcross(
  { source, target }: WidthPair,
  original: MovedTask,
  moved: MovedTask,
  { signal, onProgress }: Pick<ResolvedAcrossWidths, "signal" | "onProgress">,
): Promise<TaskAcross> {
  const [before, after] = [noSums(), noSums()];
  const total = taskWeights(source.graph).length + taskWeights(target.graph).length;
  let finished = 0;
  for (const [{ graph }, task, sums] of [
    [source, original, before],
    [target, moved, after],
  ] as const) {
    for (const name of taskWeights(graph)) {
      signal?.throwIfAborted();
      onProgress?.({ phase: "measuring", done: finished++ / total });
      const weight = graph.weights.get(name);
      if (weight?.role !== "parameter") continue;
      for (let begin = 0; begin < sizeOf(weight.shape); begin += BLOCK) {
        const range = await readTask(task, name, begin, Math.min(sizeOf(weight.shape), begin + BLOCK));
        addTaskSums(sums, range, range);
      }
    }
  }
  return {
    norm: Math.sqrt(before.task),
    relative: before.base === 0 ? null : Math.sqrt(before.task / before.base),
    carried: before.task === 0 ? null : Math.sqrt(after.moved / before.task),
    kept: after.moved === 0 ? null : after.kept / after.moved,
  };
}

const noSums = (): TaskSums => ({ base: 0, task: 0, moved: 0, product: 0, kept: 0 });
