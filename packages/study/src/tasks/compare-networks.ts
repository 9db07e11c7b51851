import { rm } from "node:fs/promises";
import { join } from "node:path";
import { at, type Checkpoint } from "@isthmus/core";
import { compareEnsembles, type FurtherPredictor, networksOnSimplex } from "@isthmus/ensemble";
import { batch, schemaOf, seed, takesParams } from "@isthmus/forms";
import { type Architecture, type DataSet, limitExamples } from "@isthmus/graph";
import { FIND_STAR_DEFAULTS, networksOnRays } from "@isthmus/star-domain";
import { STATISTICS_EXAMPLES } from "@isthmus/statistics";
import { discoverSymmetries } from "@isthmus/symmetry";
import { pathsOf } from "@isthmus/tasks";
import { z } from "zod";
import type { EnsembleChoice } from "../description/ensemble-measurement.ts";
import { ENSEMBLE_FIELDS } from "../schema/ensemble-fields.ts";
import { openNetworks } from "./open-networks.ts";
import type { StudyTaskKind, TaskData } from "./task-kind.ts";
import { TASK_DATA } from "./task-schema.ts";

/** How ensembles are compared. */
export interface CompareNetworksParams {
  readonly data: TaskData;
  readonly selectionData?: TaskData;
  readonly statisticsData?: TaskData;
  readonly others: readonly TaskData[];
  readonly options: EnsembleChoice & { readonly batchSize: number; readonly seed: number };
}

const PARAMS = schemaOf<CompareNetworksParams>()(
  z.strictObject({
    data: TASK_DATA,
    selectionData: TASK_DATA.optional(),
    statisticsData: TASK_DATA.optional(),
    others: z.array(TASK_DATA),
    options: z.strictObject({ ...ENSEMBLE_FIELDS, batchSize: batch, seed }),
  }),
);

/**
 * Compares ways to predict by several networks, and by a star of them if the task reads one; goes on from the
 * predictions that an interrupted run left.
 */
export const compareNetworks: StudyTaskKind<CompareNetworksParams> = {
  name: "compare-ensembles",
  version: 1,
  ...takesParams("compare-ensembles", PARAMS),
  async run({ engine, openData, folder, signal, onProgress }, params, inputs) {
    const members = pathsOf(inputs, "networks");
    const star = inputs["star"]?.slice(0, 1);
    const { graph, networks, close } = await openNetworks(
      inputs,
      star === undefined ? members : [...members, ...star],
      engine,
    );
    try {
      const names = graph.inputs.map(({ name }) => name);
      const open = (data: TaskData) => openData(data.name, names);
      const data = await open(params.data);
      const statisticsData = params.statisticsData && (await open(params.statisticsData));
      const others: DataSet[] = [];
      for (const other of params.others) others.push(await open(other));
      const named = networks.map(({ network }, i) => ({ ...network, source: `network ${i + 1}` }));
      const architecture = { graph, engine };
      const { diversity, members: most, batchSize } = params.options;
      const predictionsPath = join(folder, "predictions");
      const result = await compareEnsembles(architecture, named.slice(0, members.length), data, {
        ...{ others, batchSize, members: most, statisticsData, predictionsPath, signal },
        ...(diversity !== undefined && { diversity }),
        selectionData: params.selectionData && (await open(params.selectionData)),
        further: [
          ...(star === undefined
            ? []
            : await starOf({ ...architecture, named, data: statisticsData ?? data, signal }, params.options)),
          ...simplexOf(
            { ...architecture, named: named.slice(0, members.length), data: statisticsData ?? data, signal },
            params.options,
          ),
        ],
        onProgress: ({ done }) => onProgress(done),
      });
      await rm(predictionsPath, { recursive: true, force: true });
      return result;
    } finally {
      await close();
    }
  },
};

interface DrawnFrom extends Architecture {
  /** With the star last, if there is one. */
  readonly named: readonly Checkpoint[];
  /** What batch norms are measured on. */
  readonly data: DataSet;
  readonly signal: AbortSignal;
}

async function starOf(
  { graph, engine, named, data, signal }: DrawnFrom,
  { rays = FIND_STAR_DEFAULTS.rays, rayMembers, seed: drawn }: CompareNetworksParams["options"],
): Promise<readonly FurtherPredictor[]> {
  const star = at(named, named.length - 1, "star");
  const anchors = named.slice(0, -1);
  const members = rayMembers ?? anchors.length;
  const symmetries = await discoverSymmetries({ graph, engine }, { signal });
  const statisticsData = limitExamples("measure batch norms", data, STATISTICS_EXAMPLES);
  const { restarts } = FIND_STAR_DEFAULTS;
  const networks = networksOnRays(
    { graph, engine, symmetries, star, anchors },
    { seed: drawn, members, rays, restarts, statisticsData, signal },
  );
  return [
    { name: "star", members: 1, networks: [star] },
    { name: "rays of the star", members, networks },
  ];
}

function simplexOf(
  { graph, engine, named, data, signal }: DrawnFrom,
  { simplexMembers: members, seed: drawn }: CompareNetworksParams["options"],
): readonly FurtherPredictor[] {
  if (members === undefined) return [];
  const options = { seed: drawn, members, statisticsData: data, signal };
  return [{ name: "simplex", members, networks: networksOnSimplex({ graph, engine }, named, options) }];
}
