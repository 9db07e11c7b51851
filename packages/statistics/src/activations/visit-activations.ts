import { type Checkpoint, resolveOptions, type Tensor } from "@isthmus/core";
import { type Architecture, bindWeights, type DataSet } from "@isthmus/graph";
import { runOver } from "./run-over.ts";
import { ACTIVATION_STATISTICS_DEFAULTS, type ActivationStatisticsOptions } from "./statistics-options.ts";

/** A network of its own architecture, and its values that are visited. */
export interface VisitedNetwork extends Architecture {
  /** Network with a tensor for every weight of the graph. */
  readonly network: Checkpoint;
  /** Names of the values: inputs, or results of nodes. */
  readonly values: readonly string[];
}

/**
 * Runs networks side by side over a data set, and calls `visit` after each batch with the values of each
 * network by their names.
 *
 * @throws InputError if the data do not fit a graph
 * @throws OutOfRangeError if an option is out of range, or its graph has no value of a name
 */
export async function visitActivations(
  networks: readonly VisitedNetwork[],
  data: DataSet,
  options: ActivationStatisticsOptions,
  visit: (values: readonly ReadonlyMap<string, Tensor>[]) => Promise<void>,
): Promise<void> {
  const resolved = resolveOptions("visit activations", ACTIVATION_STATISTICS_DEFAULTS, options);
  const bound = await Promise.all(
    networks.map(async ({ graph, engine, network, values }) => ({
      graph,
      engine,
      weights: await bindWeights(graph, network),
      views: values.map((value) => ({ value, axes: [] })),
    })),
  );
  await runOver({ networks: bound, data }, resolved, visit);
}
