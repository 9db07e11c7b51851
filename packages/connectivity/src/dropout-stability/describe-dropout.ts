import type { Checkpoint } from "@isthmus/core";
import {
  type Architecture,
  type DataSet,
  fingerprintData,
  fingerprintGraph,
  fingerprintWeights,
} from "@isthmus/graph";
import type { HiddenLayer } from "@isthmus/symmetry/layout";
import type { JournalRun } from "@isthmus/tasks";
import type { DropoutChoice, DropoutRun } from "./dropout-options.ts";

/** Network that loses units, with the data on which it is evaluated. */
interface Subject {
  readonly architecture: Architecture;
  readonly network: Checkpoint;
  readonly data: DataSet;
}

type Decisive = Required<
  Pick<DropoutChoice & DropoutRun, "choice" | "rescale" | "statistics" | "statisticsData">
> & {
  readonly layers: readonly HiddenLayer[];
};

/** Describes all inputs that decide the numbers of a trial, except its share and seed. */
export async function describeDropout(
  { architecture: { graph, engine }, network, data }: Subject,
  { choice, rescale, statistics, statisticsData, layers }: Decisive,
): Promise<JournalRun> {
  return {
    graph: fingerprintGraph(graph),
    network: await fingerprintWeights(graph, network),
    engine: engine.name,
    data: fingerprintData(data),
    layers: layers.map(({ name }) => name).join(", "),
    choice,
    rescale,
    statistics,
    statisticsData: statisticsData === undefined ? "evaluation" : fingerprintData(statisticsData),
  };
}
