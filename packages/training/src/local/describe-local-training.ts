import type { Checkpoint } from "@isthmus/core";
import { fingerprintWeights, type Graph } from "@isthmus/graph";
import type { RunDescription } from "../train/describe-run.ts";
import type { ResolvedLocalTraining } from "./local-training.ts";

/**
 * Describes the options of a client's training, so that it can be compared with another: networks by their
 * fingerprints. Options that are left out are not described, so that states of trainings without them stay
 * valid.
 * @param graph - all weights of the network
 * @param part - its trained parameters alone
 */
export async function describeLocalTraining(
  { graph, part }: { readonly graph: Graph; readonly part: Graph },
  { proximal, controlVariates, curriculum, wasserstein, constraint }: ResolvedLocalTraining,
): Promise<RunDescription> {
  const describe = async (weights: Graph, checkpoint: Checkpoint | undefined) =>
    checkpoint === undefined ? undefined : fingerprintWeights(weights, checkpoint);
  return {
    ...(proximal && { proximal: { ...proximal, reference: await describe(part, proximal.reference) } }),
    ...(controlVariates && {
      controlVariates: {
        ...controlVariates,
        server: await describe(part, controlVariates.server),
        client: await describe(part, controlVariates.client),
      },
    }),
    ...(curriculum && {
      curriculum: { ...curriculum, scoredBy: await describe(graph, curriculum.scoredBy) },
    }),
    ...(wasserstein && { wasserstein }),
    ...(constraint && { constraint: constraint.description }),
  };
}
