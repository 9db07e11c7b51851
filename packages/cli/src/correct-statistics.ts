import type { StatisticsPolicy } from "@isthmus/barrier";
import { type Checkpoint, convertInto, defineCheckpoint, type Tensor } from "@isthmus/core";
import { bindWeights, type DataSet } from "@isthmus/graph";
import { createRepairer, recalibrateBatchNorm } from "@isthmus/statistics";
import type { Architecture } from "./open-architecture.ts";
import type { Context } from "./verb.ts";

/** What is to be done about statistics of activations, and with what. */
export interface StatisticsOptions {
  readonly statistics: StatisticsPolicy;
  /** Examples to measure them on; undefined where there are none. */
  readonly data: DataSet | undefined;
}

/** What a combination was made of. */
export interface Ingredients {
  /** Undefined where nothing is to be run. */
  readonly architecture: Architecture | undefined;
  readonly networks: readonly Checkpoint[];
  /** Of any sum. */
  readonly weights: readonly number[];
}

/** A combination of networks, with statistics of activations as they are wanted. */
export async function correctStatistics(
  merged: Checkpoint,
  { architecture, networks: checkpoints, weights }: Ingredients,
  { statistics, data }: StatisticsOptions,
  { progress, signal }: Pick<Context, "progress" | "signal">,
): Promise<Checkpoint> {
  if (statistics === "keep" || architecture === undefined || data === undefined) return merged;
  const { graph, engine } = architecture;
  progress(statistics === "recalibrate" ? "Recalibrating batch norms" : "Repairing");
  const bound = await bindWeights(graph, merged);
  if (statistics === "recalibrate") {
    return overlay(merged, await recalibrateBatchNorm({ graph, engine, weights: bound }, data, { signal }));
  }
  const networks = await Promise.all(checkpoints.map((checkpoint) => bindWeights(graph, checkpoint)));
  const closedForm = statistics === "repair-closed-form";
  const repairer = await createRepairer({ graph, engine, networks }, data, { closedForm, signal });
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return overlay(
    merged,
    await repairer.repair(
      bound,
      weights.map((weight) => weight / sum),
    ),
  );
}

/** A checkpoint with some tensors replaced, in the element types it has. */
function overlay(base: Checkpoint, tensors: ReadonlyMap<string, Tensor>): Checkpoint {
  return defineCheckpoint({
    source: base.source,
    tensors: base.tensors,
    metadata: base.metadata,
    inputs: [base],
    async readInto(name, begin, out) {
      const tensor = tensors.get(name);
      const dtype = base.tensors.get(name)?.dtype ?? "f32";
      if (tensor === undefined) {
        await base.readRangeInto(name, begin, out);
        return;
      }
      const data = tensor.data.subarray(begin, begin + out.length);
      convertInto({ dtype: tensor.dtype, data }, { dtype, data: out });
    },
  });
}
