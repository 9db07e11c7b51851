import { at, UsageError, withCheckpoints } from "@isthmus/core";
import { counterfactuals, PLANT_CUE_DEFAULTS } from "@isthmus/data";
import type { Subjects } from "@isthmus/findings";
import type { DataSet } from "@isthmus/graph";
import { discoverOnce } from "@isthmus/symmetry";
import { dataContext, nameTrainingData, openExamples, openOwnArchitectures } from "@isthmus/zoo";
import { openBeside } from "./open-beside.ts";
import type { OpenSubject } from "./open-subject.ts";
import type { OpenedFacts, OpenRequest } from "./opened.ts";
import type { PairOnSetsOptions, PairOptions } from "./subject-options.ts";
import { withPair } from "./with-pair.ts";

/** Opens two networks of one architecture; the second is aligned if options ask for it. */
export const openPair: OpenSubject<"pair"> = (request, work) =>
  withMeasuredPair(request, (subject, facts) => work({ ...facts, subject }));

/** Opens two networks of one architecture, and several sets of examples. */
export const openPairOnSets: OpenSubject<"pair-on-sets"> = (request, work) =>
  withMeasuredPair(request, async (subject, facts) => {
    const sets = await openSets(request.measurement.attempt, subject, request.options);
    return work({ ...facts, subject: { ...subject, sets } });
  });

async function withMeasuredPair<T>(
  { measurement, paths, options: named }: OpenRequest<PairOptions>,
  work: (subject: Subjects["pair"], facts: OpenedFacts) => Promise<T>,
): Promise<T> {
  const { on } = measurement.trains ?? {};
  const { training, data: evaluated } =
    on === undefined ? { data: named.data, training: undefined } : await nameExamples(measurement, named);
  const options = { ...named, data: evaluated };
  const ends = [at(paths, 0, "path"), at(paths, 1, "path")] as const;
  return withPair({ paths: ends, options, training }, async (pair) => {
    const { graph, engine, a, b, unaligned, data, statisticsData, files, binding, summary } = pair;
    const beside = await openBeside(measurement, options, {
      context: dataContext(pair),
      scaling: data.scaling,
    });
    if (on !== undefined && pair.training !== undefined) beside.set(on, pair.training);
    const { signal, onProgress = () => {} } = options;
    const subject = {
      graph,
      engine,
      a,
      b,
      unaligned,
      end: unaligned,
      data,
      statisticsData,
      beside,
      symmetries: discoverOnce(pair, { signal }, () => onProgress("Discovering symmetries")),
    };
    return work(subject, {
      implied: pair.statistics === "auto" ? {} : { statistics: pair.statistics },
      files,
      binding,
      alignment: summary,
      restore: at(pair.networks, 0, "network").restore,
    });
  });
}

/**
 * Finds the names of the examples of a measurement that trains: `data` names the examples to train on.
 * @throws UsageError if there are no examples to measure on
 */
async function nameExamples(
  { attempt }: OpenRequest<PairOptions>["measurement"],
  { data, testData }: PairOptions,
): Promise<{ readonly data: string; readonly training: string }> {
  const { training, evaluated } = await nameTrainingData({ data, evalData: testData });
  if (evaluated !== undefined) return { data: evaluated, training };
  throw new UsageError(
    `Cannot ${attempt} as it must be measured on examples that it was not trained on, and --data has no others: name them with --test-data`,
  );
}

/**
 * Opens sets of examples: the ones to measure on with and without a cue, and others that options name.
 * @throws UsageError if the name of a set is missing or used twice
 */
async function openSets(
  attempt: string,
  { data, graph }: Subjects["pair"],
  { set = [], cueShare: share, cueSeed: seed, ...options }: PairOnSetsOptions,
): Promise<Record<string, DataSet>> {
  const cue = options.cue ?? (set.length === 0 ? PLANT_CUE_DEFAULTS.kind : undefined);
  const planted = { ...(share !== undefined && { share }), ...(seed !== undefined && { seed }) };
  const sets: Record<string, DataSet> =
    cue === undefined ? { data } : { ...counterfactuals(data, { kind: cue, ...planted }) };
  const inputs = graph.inputs.map((input) => input.name);
  for (const text of set) {
    const [, name, source] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
    if (name === undefined || source === undefined || Object.hasOwn(sets, name)) {
      throw new UsageError(
        `Cannot ${attempt} as --set must be a new name, =, and a data set, for example drawings=npz:drawings.npz: it is "${text}"`,
      );
    }
    sets[name] = await openExamples(source, { inputs }, options);
  }
  return sets;
}

/** Opens two networks that may differ in their architectures. */
export const openUnlikePair: OpenSubject<"unlike-pair"> = ({ measurement, paths, options }, work) => {
  const { attempt } = measurement;
  const ends = [at(paths, 0, "path"), at(paths, 1, "path")] as const;
  const { graph, graphA = graph, graphB = graph } = options;
  const { exportedFrom, exportedFromA = exportedFrom, exportedFromB = exportedFrom } = options;
  return withCheckpoints(ends, async ([one, two]) => {
    const read = [graphA, graphB, exportedFromA, exportedFromB].filter((file) => file !== undefined);
    const files = [...one.files, ...two.files, ...read];
    await options.onFiles?.(files);
    const [a, b] = await openOwnArchitectures(
      [
        { path: ends[0], checkpoint: one, graph: graphA, exportedFrom: exportedFromA, letter: "a" },
        { path: ends[1], checkpoint: two, graph: graphB, exportedFrom: exportedFromB, letter: "b" },
      ],
      { ...options, attempt },
    );
    const { data } = a;
    if (data === undefined) throw new UsageError(`Cannot ${attempt} without examples: add --data`);
    return work({ subject: { a, b, data }, files });
  });
};
