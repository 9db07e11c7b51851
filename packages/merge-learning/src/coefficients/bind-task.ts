import { at, type Checkpoint, convertData, createCheckpoint, entry, type Tensor } from "@isthmus/core";
import {
  type BoundArchitecture,
  bindArchitecture,
  createEvaluator,
  type DataSet,
  type UnreadPolicy,
} from "@isthmus/graph";
import type { OpenedArchitecture } from "@isthmus/zoo";
import type { MergedNetwork } from "./open-directions.ts";

/** A data set by which the weights of a merge are learned, with the graph that is run on it. */
export interface TunedTask {
  /** Graph of the merged network, which may have a head of its own. */
  readonly architecture: OpenedArchitecture;
  /** Examples by which weights are learned. */
  readonly data: DataSet;
  /** Examples on which the merge is measured before and after. @defaultValue `data` */
  readonly evaluationData?: DataSet | undefined;
  /**
   * Position among the networks with a weight of the one whose outputs are to be kept on these data.
   * @defaultValue the position of the task, or every network if there is one task only
   */
  readonly expert?: number | undefined;
  /** Checkpoint that the graph was exported from. @defaultValue looked for among the networks */
  readonly exportedFrom?: Checkpoint | undefined;
  /** Policy for tensors that the graph does not read. @defaultValue "keep" */
  readonly unread?: UnreadPolicy | undefined;
}

/** Loss and error of a merge on one data set; null if there are no labels, or no notion of an error. */
export interface TaskScore {
  /** Mean loss of the examples. */
  readonly loss: number | null;
  /** Share of examples, or tokens, that are predicted wrongly. */
  readonly error: number | null;
}

/** A task whose graph reads the merged network. */
export interface BoundTask {
  /** Graph under whose names networks are, and its engine. */
  readonly architecture: OpenedArchitecture & BoundArchitecture;
  /** Names in the merge of the tensors that the graph reads, by the graph's names. */
  readonly stored: ReadonlyMap<string, string>;
  /** The merged network in memory under the graph's names. */
  readonly network: Checkpoint;
  /** Experts under the graph's names, in the order of the networks with a weight. */
  readonly experts: readonly Checkpoint[];
  /** Returns the tensors that the graph takes, with the weights of the current step. */
  weights(): ReadonlyMap<string, Tensor>;
  /** Measures loss and error of a merge, under its own names. */
  measure(merge: Checkpoint, signal: AbortSignal | undefined): Promise<TaskScore>;
}

/**
 * Makes a graph and a merge fit each other.
 * @param merged - the merged network in memory
 * @param networks - the networks with a weight, then the base if there is one
 * @throws MismatchError if they do not fit
 */
export async function bindTask(
  { architecture: opened, data, evaluationData = data, exportedFrom, unread = "keep" }: TunedTask,
  { tensors }: Pick<MergedNetwork, "tensors">,
  networks: readonly Checkpoint[],
  signal: AbortSignal | undefined,
): Promise<BoundTask> {
  const start = createCheckpoint(tensors, {}, "the merge");
  const architecture = await bindArchitecture(opened, [start, ...networks], { exportedFrom, unread, signal });
  const first = at(architecture.networks, 0, "network");
  const { stored } = first.names;
  return {
    architecture,
    stored,
    network: first.network,
    experts: architecture.networks.slice(1).map(({ network }) => network),
    weights: () =>
      new Map(
        [...architecture.graph.weights].map(([name, { dtype }]) => {
          const tensor = entry(tensors, entry(stored, name, "weight"), "tensor");
          if (tensor.dtype === dtype) return [name, tensor];
          return [name, { ...tensor, dtype, data: convertData(tensor.data, tensor.dtype, dtype) }];
        }),
      ),
    async measure(merge, aborted) {
      const isLabelled = evaluationData.labelling !== "none" || evaluationData.targets !== undefined;
      if (!isLabelled) return { loss: null, error: null };
      const evaluator = await createEvaluator(architecture, evaluationData);
      try {
        const { loss, error } = await evaluator.evaluate(first.reread(merge), aborted);
        return { loss, error: Number.isNaN(error) ? null : error };
      } finally {
        await evaluator.release();
      }
    },
  };
}
