import type { Checkpoint } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import {
  measurePruning,
  type PrunedArchitecture,
  type PrunedNetwork,
  pruneNetwork,
  trainAnnealed,
  trainMasked,
} from "@isthmus/sparsity";
import { discoverSymmetries } from "@isthmus/symmetry";
import { followTraining } from "../../training/follow-training.ts";
import { nameState } from "../../training/training-files.ts";
import type { Context } from "../../verb.ts";
import { findTicket } from "./find-ticket.ts";
import type { PruneData, PruneJob, Pruning } from "./prune-job.ts";

/** Prunes a network as the options say, trains it further, and measures losses. */
export async function pruneAndMeasure(
  { architecture, network, options }: PruneJob,
  data: PruneData,
  context: Context,
): Promise<Pruning> {
  const { graph, engine } = architecture;
  const { signal } = context;
  context.progress("Pruning");
  const symmetries =
    options.by === "units" ? await discoverSymmetries({ graph, engine }, { signal }) : undefined;
  const prunable = { graph, engine, ...(symmetries && { symmetries }) };
  const job = { architecture: prunable, network, options };
  return options.rewind === undefined ? pruneOnce(job, data, context) : findTicket(job, data, context);
}

async function pruneOnce(
  { architecture, network, options }: PruneJob & { readonly architecture: Architecture & PrunedArchitecture },
  { measured, trained }: PruneData,
  context: Context,
): Promise<Pruning> {
  const { sparsity, by, layers, shares, epochs, seed } = options;
  const { signal } = context;
  const { graph, engine } = architecture;
  const pruned = await pruneNetwork(architecture, network, {
    sparsity,
    by,
    layers,
    shares: Object.fromEntries(shares ?? []),
  });
  const tuned =
    epochs === 0 || trained === undefined
      ? undefined
      : await tune({ architecture, network, options }, { pruned, data: trained }, context);
  const compared = { before: network, after: pruned.weights, tuned };
  const measures = measured && (await measurePruning({ graph, engine }, compared, measured, { signal }));
  const tuning = tuned && trained && { tuning: { data: trained.name, epochs, seed } };
  return {
    weights: tuned ?? pruned.weights,
    result: { ...pruned.result, ...(measures && { measures }), ...tuning },
  };
}

async function tune(
  { architecture: { graph, engine }, network, options }: PruneJob,
  { pruned, data }: { readonly pruned: PrunedNetwork; readonly data: DataSet },
  context: Context,
): Promise<Checkpoint> {
  const { epochs, seed, batch, lr, resume = false, output, anneal } = options;
  const { weights } = await followTraining(
    { verb: "prune", state: nameState(output) },
    context,
    (following) => {
      const training = {
        epochs,
        seed,
        batch,
        resume,
        schedule: { kind: "cosine", learningRate: lr } as const,
        ...following,
      };
      if (anneal === undefined) return trainMasked({ graph, engine }, pruned, data, training);
      const start = { weights: network, masks: pruned.masks };
      return trainAnnealed({ graph, engine }, start, data, { ...training, annealing: { initial: anneal } });
    },
  );
  return weights;
}
