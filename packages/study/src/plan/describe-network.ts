import { fingerprintGraph, fingerprintWeights } from "@isthmus/graph";
import type { Network } from "@isthmus/zoo";
import type { TaskNetwork } from "../tasks/task-kind.ts";

/**
 * Describes a network of the zoo and its random weights, so that a key changes when the zoo builds or
 * initialises it in another way.
 */
export async function describeNetwork(
  { spec, graph, initialize }: Network,
  seed: number,
): Promise<TaskNetwork> {
  return {
    net: spec,
    graph: fingerprintGraph(graph),
    weights: await fingerprintWeights(graph, initialize(seed)),
  };
}
