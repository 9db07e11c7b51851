import { at, withCheckpoints } from "@isthmus/core";
import type { AnyMeasurement, Subjects } from "@isthmus/findings";
import { assertDataFits, bindArchitecture, type DataSet } from "@isthmus/graph";
import type { StatisticsChoice } from "@isthmus/statistics";
import { discoverOnce } from "@isthmus/symmetry";
import {
  assertArchitecture,
  dataContext,
  fitToData,
  noteFeeds,
  openExamples,
  openMeasuredExamples,
  openSharedArchitecture,
  openUnscoredExamples,
} from "@isthmus/zoo";
import { labelsOf } from "./labels-of.ts";
import { openBeside } from "./open-beside.ts";
import type { OpenedFacts, OpenRequest } from "./opened.ts";
import { assertNotKept } from "./statistics-of.ts";
import type { SharedOptions } from "./subject-options.ts";

/** Further examples for networks, with bytes scaled like the ones to measure on. */
export interface FurtherExamples {
  /** Examples that the request names in `others`. */
  readonly others: readonly DataSet[];
  /** Opens further examples by name, and checks that they fit the graph. */
  open(name: string): Promise<DataSet>;
}

/** Names of networks that share an architecture. */
export interface NetworksRequest extends OpenRequest<SharedOptions> {
  /**
   * Names of other data, which are opened before the further examples of the measurement.
   * @defaultValue none
   */
  readonly others?: readonly string[];
}

/** Opens networks that share an architecture, with their data, and closes them after `work`. */
export async function withNetworks<T>(
  { measurement, paths, options, others: named = [] }: NetworksRequest,
  work: (subject: Subjects["networks"], facts: OpenedFacts, further: FurtherExamples) => Promise<T>,
): Promise<T> {
  const { attempt, options: fields } = measurement;
  const { engine, statistics, signal, onNote, onOpen, onProgress = () => {} } = options;
  assertNotKept(options);
  await assertArchitecture(attempt, paths, options);
  const read = await openSharedArchitecture(paths, engine, options);
  const context = dataContext(read);
  const { data, statisticsData } = await openMeasuredExamples(options, context);
  return withCheckpoints(paths, async (checkpoints) => {
    const sources = [options.graph, options.exportedFrom].filter((file) => file !== undefined);
    const files = [...checkpoints.flatMap((checkpoint) => checkpoint.files), ...sources];
    await options.onFiles?.(files);
    const bound = await bindArchitecture(fitToData(read, data), checkpoints, options);
    const { graph, binding } = bound;
    noteFeeds(attempt, bound, data, { isScaled: options.scaling !== undefined, onNote });
    const labels = labelsOf(paths);
    const policy = statistics ?? defaultPolicyOf(fields);
    const unscored =
      statisticsData === undefined && policy !== undefined
        ? await openUnscoredExamples(graph, options, { context, statistics: policy })
        : undefined;
    const recalibrateData = unscored?.name ?? options.recalibrateData;
    const { scaling } = data;
    const open = async (name: string) => {
      const further = await openExamples(name, context, { scaling, onOpen });
      assertDataFits(attempt, graph, further, 1);
      return further;
    };
    const others: DataSet[] = [];
    for (const name of named) others.push(await open(name));
    const subject = {
      graph,
      engine,
      data,
      statisticsData: statisticsData ?? unscored,
      networks: bound.networks.map(({ network }, k) => ({ label: at(labels, k, "label"), network })),
      beside: await openBeside(measurement, options, { context, scaling }),
      symmetries: discoverOnce(bound, { signal }, () => onProgress("Discovering symmetries")),
    };
    const isImplied = statistics === undefined && statisticsData !== undefined && policy !== undefined;
    const facts = {
      implied: isImplied ? { statistics: "recalibrate" } : {},
      files,
      binding,
      restore: at(bound.networks, 0, "network").restore,
      named: { names: { ...options, recalibrateData }, context },
    };
    return work(subject, facts, { others, open });
  });
}

/** Returns the policy for norms if none is named; undefined for a measurement that has none. */
function defaultPolicyOf(options: AnyMeasurement["options"]): StatisticsChoice | undefined {
  return options["statistics"]?.default as StatisticsChoice | undefined;
}
