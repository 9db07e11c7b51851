import { UsageError } from "@isthmus/core";
import { type DataSet, type Graph, readGraph } from "@isthmus/graph";
import { LOSS_GRAPH_FIELD, type OutputLoss, withLossGraph } from "@isthmus/training";
import type { TrainingData } from "@isthmus/zoo";
import { addFieldOptions } from "../measurement/field-options.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { type AddOptions, optionGroup } from "../options/option-group.ts";
import type { MeasureFlags } from "./measure-training.ts";
import type { TeleportFlags } from "./teleport-options.ts";
import type { TrainingFlags } from "./training-options.ts";

/** Option of the command line for a loss that is a graph. */
export type LossGraphFlags = {
  /** ONNX file of the loss. @defaultValue the loss that `loss` names */
  readonly lossGraph?: string | undefined;
};

/** Adds the option for a loss that is a graph. */
export const addLossGraphOption: AddOptions<LossGraphFlags> = optionGroup((command) => {
  command.optionsGroup(HELP_GROUPS.training);
  addFieldOptions(command, { lossGraph: LOSS_GRAPH_FIELD });
});

/** Graph and examples of a training, with the loss behind the graph if a file of it is named. */
interface ScoredTraining extends TrainingData {
  /** Graph of the network, which also computes the loss. */
  readonly graph: Graph;
  /** Loss that the graph computes; absent if no file is named. */
  readonly loss?: OutputLoss;
}

/**
 * Puts the loss of a file behind a network that is trained.
 * @throws UsageError if another option asks for a loss, or for something that takes the usual loss alone
 * @throws UnsupportedError if the graph of the loss has another form
 */
export async function openLossGraph(
  {
    lossGraph,
    loss,
    labelSmoothing,
    measure,
    teleport,
  }: LossGraphFlags & MeasureFlags & TeleportFlags & Pick<TrainingFlags, "loss" | "labelSmoothing">,
  graph: Graph,
  examples: TrainingData,
): Promise<ScoredTraining> {
  if (lossGraph === undefined) return { graph, ...examples };
  const others = { loss, "label-smoothing": labelSmoothing, measure, teleport };
  const [other] = Object.entries(others).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (other !== undefined) {
    throw new UsageError(
      `Cannot train with --loss-graph and --${other} as the latter takes a loss that has a name: leave one out`,
    );
  }
  const decoded = await readGraph(lossGraph);
  const behind = (data: DataSet) => withLossGraph("train", { graph, data }, decoded);
  const evaluated = examples.evaluationData;
  return { ...behind(examples.data), evaluationData: evaluated && behind(evaluated).data };
}
