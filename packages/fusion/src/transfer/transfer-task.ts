import { assertFiniteTensors, at, type Checkpoint, UnsupportedError } from "@isthmus/core";
import { type Architecture, assertNetwork, type BoundNetwork } from "@isthmus/graph";
import { recalibrateBatchNorm } from "@isthmus/statistics";
import { verifyAlignment } from "@isthmus/symmetry";
import { measureGradient } from "@isthmus/training";
import { type AlignedNetwork, type AlignmentSummary, align } from "@isthmus/weight-matching";
import { chooseScale, type TriedScale } from "./choose-scale.ts";
import { measureTask, type TaskMeasure, type TaskTensor } from "./measure-task.ts";
import {
  type ResolvedTransfer,
  resolveTransferOptions,
  type TransferTaskOptions,
} from "./transfer-options.ts";
import { type MovedTask, transferredCheckpoint } from "./transferred-checkpoint.ts";

/** A fine-tune with its base, and the base to which it is moved. */
export interface TransferredNetworks {
  /** Network before it was fine-tuned. */
  readonly baseA: Checkpoint | BoundNetwork;
  /** Network after it was fine-tuned. */
  readonly tunedA: Checkpoint | BoundNetwork;
  /** Network of the same architecture to which the task is moved, such as a newer version of the base. */
  readonly baseB: Checkpoint | BoundNetwork;
}

/** Summary of a transfer, as plain data. */
export interface TransferSummary {
  /** Factor of the task vector that was taken. */
  readonly scale: number;
  /** Measures of the task vector over all parameters. */
  readonly task: TaskMeasure;
  /** Measures of the task vector in each weight of the graph. */
  readonly tensors: readonly TaskTensor[];
  /** Summary of the alignment of base A to base B, and its proof; absent without alignment. */
  readonly alignment?: AlignmentSummary;
  /** Largest relative error of an output of the moved fine-tune; absent if it was not run. */
  readonly tunedError?: number;
  /** Loss and error at each scale on `data`, and at scale 0, which is base B alone; empty without `data`. */
  readonly tried: readonly TriedScale[];
  /** Warnings for the user, in sentences. */
  readonly warnings: readonly string[];
}

/** Result of {@link transferTask}. */
export interface TransferTaskResult {
  /** Base B with the task, under the graph's names; lazy, unless batch norms were recalibrated. */
  readonly network: Checkpoint;
  /** The same network under the names of base B's checkpoint. */
  readonly restored: Checkpoint;
  /** Base A aligned to base B; undefined without alignment. */
  readonly aligned: AlignedNetwork | undefined;
  /** Summary of the transfer, as plain data. */
  readonly summary: TransferSummary;
}

/**
 * Moves a fine-tune to another base: base B plus `scale` times the task vector, the difference of the
 * fine-tune from base A, in the coordinates of B (TransFusion).
 *
 * Base A is aligned to base B, with a proof. The fine-tune is moved by the same permutations, and by scales,
 * signs and rotations if `align` has them, and the moved base is subtracted. The statistics of batch norms
 * move like weights; a variance that would fall below zero is not changed.
 *
 * Differs from the paper in: 1. units, heads and residual streams of any graph are matched together (by the
 * sweeps of Git Re-Basin, from several starts), whereas the authors match the heads of a transformer by the
 * singular values of their projections; 2. the mask of GradFix takes the sign of the mean gradient.
 *
 * @throws MismatchError if a network does not fit the graph
 * @throws InputError if a weight is NaN or infinite, which the message names, or if data do not fit
 * @throws UnsupportedError if moving a network would change what it computes
 * @throws OutOfRangeError if a scale is not finite
 * @throws UsageError if there are several scales without data to choose from them
 *
 * Source: Rinaldi et al., Update your transformer to the latest release (TransFusion), 2025; Rinaldi et al.,
 * Gradient-sign masking for task vector transport across pre-trained models (GradFix), 2025.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, openDataSet, parseNetwork, train, transferTask } from "isthmus";
 *
 * const data = await openDataSet("mnist:train@200");
 * const { graph, initialize } = parseNetwork("mlp:16", data);
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 * const [baseA, baseB] = [initialize(0), initialize(1)]; // trained ones, as a rule
 * const { weights: tunedA } = await train(architecture, baseA, data, { seed: 0, epochs: 1 });
 *
 * const { network, summary } = await transferTask(architecture, { baseA, tunedA, baseB });
 * assert.deepEqual([...network.tensors.keys()], [...baseB.tensors.keys()]);
 * assert(summary.alignment?.verified.passed);
 * ```
 */
export async function transferTask(
  architecture: Architecture,
  networks: TransferredNetworks,
  options: TransferTaskOptions = {},
): Promise<TransferTaskResult> {
  const resolved = resolveTransferOptions(options);
  const { signal, onProgress } = resolved;
  const { graph } = architecture;
  const original = { base: inGraph(networks.baseA), tuned: inGraph(networks.tunedA) };
  const target = inGraph(networks.baseB);
  for (const network of [original.base, original.tuned, target]) {
    assertNetwork(graph, network);
    await assertFiniteTensors("transfer a task", network);
  }
  const { moved, aligned, tunedError } = await moveTask(architecture, networks, resolved);
  const task = { ...moved, gradient: await gradientOf(architecture, target, resolved) };
  const { total, tensors } = await measureTask(graph, original, task, {
    signal,
    onProgress: (done) => onProgress?.({ phase: "measuring", done }),
  });
  const { network, scale, tried } = await addTask(architecture, target, task, resolved);
  const summary: TransferSummary = {
    scale,
    task: total,
    tensors,
    tried,
    ...(aligned === undefined ? {} : { alignment: aligned.summary }),
    ...(tunedError === undefined ? {} : { tunedError }),
    warnings: findWarnings(original, { scale, task: total, tried }),
  };
  return { network, restored: asStored(networks.baseB, network), aligned, summary };
}

/** Settings of {@link addTask}. */
type AddTaskOptions = Pick<ResolvedTransfer, "scales" | "data" | "recalibrate" | "signal" | "onProgress">;

/**
 * Adds a task vector to a network at the scale with the least loss on examples, or at the only scale.
 *
 * @param target - network whose names, shapes and element types the result has
 * @param task - task vector in the coordinates of the target
 */
export async function addTask(
  architecture: Architecture,
  target: Checkpoint,
  task: MovedTask,
  { scales, data, recalibrate, signal, onProgress }: AddTaskOptions,
): Promise<{
  readonly network: Checkpoint;
  readonly scale: number;
  readonly tried: readonly TriedScale[];
}> {
  const networkAt = async (scale: number): Promise<Checkpoint> => {
    const network = transferredCheckpoint(architecture.graph, target, task, scale);
    return recalibrate === undefined || scale === 0
      ? network
      : recalibrateBatchNorm(architecture, network, recalibrate, { signal });
  };
  const { scale, tried } =
    data === undefined
      ? { scale: at(scales, 0, "scale"), tried: [] }
      : await chooseScale(
          architecture,
          { scales, data, networkAt },
          { signal, onProgress: (done) => onProgress?.({ phase: "trying", done }) },
        );
  return { network: await networkAt(scale), scale, tried };
}

const isBound = (network: Checkpoint | BoundNetwork): network is BoundNetwork => "restore" in network;

/** Returns a network under the names of its graph. */
export const inGraph = (network: Checkpoint | BoundNetwork): Checkpoint =>
  isBound(network) ? network.network : network;

/** Returns a changed network under the names that the original has in its file. */
export const asStored = (like: Checkpoint | BoundNetwork, changed: Checkpoint): Checkpoint =>
  isBound(like) ? like.restore(changed) : changed;

/** A task vector in the coordinates of base B, with the alignment that moved it. */
interface MovedResult {
  readonly moved: MovedTask;
  readonly aligned: AlignedNetwork | undefined;
  readonly tunedError: number | undefined;
}

/** Moves base A and its fine-tune to the coordinates of base B, and proves that both keep their outputs. */
async function moveTask(
  { graph, engine, ...architecture }: Architecture,
  { baseA, tunedA, baseB }: TransferredNetworks,
  { align: matching, signal, onProgress }: ResolvedTransfer,
): Promise<MovedResult> {
  const [base, tuned] = [inGraph(baseA), inGraph(tunedA)];
  if (matching === false) return { moved: { base, tuned }, aligned: undefined, tunedError: undefined };
  const result = await align({ graph, engine, ...architecture }, [baseB, baseA], {
    ...matching,
    signal,
    onProgress: ({ done }) => onProgress?.({ phase: "aligning", done }),
  });
  const aligned = at(result.aligned, 0, "aligned network");
  const moved = { base: await aligned.move(base), tuned: await aligned.move(tuned) };
  if (aligned.summary.verified.narrowed) return { moved, aligned, tunedError: undefined };
  const outputs = await verifyAlignment({ graph, engine }, [tuned, moved.tuned], {
    seed: matching.seed,
    signal,
  });
  if (!outputs.passed) {
    throw new UnsupportedError(
      `Cannot transfer "${tuned.source}" as moving it must not change what it computes: the output differs by ${outputs.maxRelativeError}; please report this graph`,
      { feature: "transfer" },
    );
  }
  return { moved, aligned, tunedError: outputs.maxRelativeError };
}

/** Measures the gradient of base B, if the task vector is masked by it. */
export async function gradientOf(
  architecture: Architecture,
  target: Checkpoint,
  { maskBySign, signal, onProgress }: Pick<ResolvedTransfer, "maskBySign" | "signal" | "onProgress">,
): Promise<Checkpoint | undefined> {
  if (maskBySign === undefined) return undefined;
  return measureGradient(architecture, target, maskBySign, {
    signal,
    onProgress: ({ done }) => onProgress?.({ phase: "gradient", done }),
  });
}

/**
 * Norm of a task vector, in norms of the base, above which networks look like strangers: .86 to 1.6 was
 * measured between networks that were trained apart, and at most .45 between a base and its fine-tune.
 */
const STRANGER = 0.85;

/** Finds what a user should be warned of: no fine-tune, another base, or no gain at any scale. */
export function findWarnings(
  { base, tuned }: MovedTask,
  {
    scale,
    task,
    tried,
  }: Pick<TransferSummary, "scale" | "tried"> & {
    readonly task: Pick<TaskMeasure, "norm" | "relative">;
  },
): string[] {
  const warnings: string[] = [];
  if (task.norm === 0) {
    warnings.push(`"${tuned.source}" has the weights of "${base.source}": there is no fine-tune to transfer`);
  }
  if (task.relative !== null && task.relative >= STRANGER) {
    warnings.push(
      `"${tuned.source}" does not look like a fine-tune of "${base.source}": the task vector is ${task.relative.toFixed(2)} times as long as the weights; name the base that it was made from`,
    );
  }
  const lossAt = (value: number) => tried.find((row) => row.scale === value)?.loss;
  const [alone, best] = [lossAt(0), lossAt(scale)];
  if (alone !== undefined && best !== undefined && scale !== 0 && !(best < alone)) {
    warnings.push(
      `no scale lowers the loss of the new base on these examples: ${alone.toFixed(4)} alone, ${best.toFixed(4)} at scale ${scale}`,
    );
  }
  return warnings;
}
