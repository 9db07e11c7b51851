import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { at, UsageError } from "@isthmus/core";
import type { AnyMeasurement, ExamplesBeside, OpenedSubject, SubjectName, Subjects } from "@isthmus/findings";
import type { BindingSummary, DataSet } from "@isthmus/graph";
import type { StatisticsChoice } from "@isthmus/statistics";
import { discoverSymmetries, type Symmetries } from "@isthmus/symmetry";
import { assertArchitecture, type DataContext, dataContext, fitToData } from "@isthmus/zoo";
import { describeFeeds, encodingOf } from "../format/describe-feeds.ts";
import { labelsOf } from "../format/labels-of.ts";
import { addBindingOptions, type BindingOptions, bindArchitecture } from "../open/bind-architecture.ts";
import { openSharedArchitecture } from "../open/open-architecture.ts";
import { withCheckpoints } from "../open/open-checkpoints.ts";
import {
  addScalingOptions,
  type DataOptions,
  openData,
  openExamples,
  openUnscoredFor,
} from "../open/open-data.ts";
import {
  addExportedFromOptions,
  type ExportedFromOptions,
  openOwnArchitectures,
} from "../open/open-own-architectures.ts";
import { withPair } from "../open/open-pair.ts";
import { dataForms } from "../options/data-forms.ts";
import { addEngineOption, type EngineOptions } from "../options/engine-option.ts";
import { addStatisticsDataOptions, assertNotKept } from "../options/norm-options.ts";
import { addPairSubjectOptions, type PairOptions } from "../options/pair-options.ts";
import { assertOutput } from "../output/assert-output.ts";
import { nameTrainingSplit } from "../training/open-training-data.ts";
import type { Context } from "../verb.ts";

/** A subject that was opened, and what the command says of it beside the result. */
export interface Opened {
  readonly subject: Subjects[SubjectName];
  /** Options of the measurement that follow from how the subject was opened. */
  readonly implied: Readonly<Record<string, unknown>>;
  /** Files that are read, which are not written over. */
  readonly inputs: readonly string[];
  /** Fields that `--json` has beside the fields of the result. */
  readonly beside: { readonly binding?: BindingSummary; readonly alignment?: object };
}

/** What a command line says of a subject. */
export interface SubjectRequest {
  readonly measurement: AnyMeasurement;
  readonly paths: readonly string[];
  /** Options of the command, as the parser of command lines has them. */
  readonly flags: SubjectFlags;
  /** The policy for norms that the command line names. */
  readonly statistics: StatisticsChoice | undefined;
  /** Files that will be written. */
  readonly outputs: readonly string[];
}

type SubjectFlags = PairOptions &
  DataOptions &
  EngineOptions &
  BindingOptions &
  ExportedFromOptions & { readonly graphA?: string; readonly graphB?: string };

/** How commands name and open a sort of subject. */
interface SubjectForm {
  /** Arguments with their help, and how examples name them. */
  readonly arguments: readonly (readonly [name: string, help: string, example: string])[];
  addOptions(command: CommandUnknownOpts, measurement: AnyMeasurement): void;
  open<T>(request: SubjectRequest, context: Context, work: (opened: Opened) => Promise<T>): Promise<T>;
}

const NETWORK: SubjectForm = {
  arguments: [["<network>", "the checkpoint: a file, or a folder", "a.safetensors"]],
  addOptions: addSharedOptions,
  open: (request, context, work) =>
    openNetworks(request, context, ({ networks, ...opened }, shared) => {
      const { network } = at(networks, 0, "network");
      return work({ ...shared, subject: { ...opened, network } });
    }),
};

const NETWORKS: SubjectForm = {
  arguments: [
    ["<networks...>", "the checkpoints: files, or folders", "a.safetensors b.safetensors c.safetensors"],
  ],
  addOptions: addSharedOptions,
  open: (request, context, work) =>
    openNetworks(request, context, (subject, shared) => work({ ...shared, subject })),
};

const PAIR: SubjectForm = {
  arguments: [
    ["<a>", "the checkpoint at t = 0: a file, or a folder", "a.safetensors"],
    ["<b>", "the checkpoint at t = 1", "b.safetensors"],
  ],
  addOptions(command, measurement) {
    addPairSubjectOptions(command);
    addBesideOptions(command, measurement);
    if ("statistics" in measurement.options) addStatisticsDataOptions(command);
  },
  open: ({ measurement, paths, flags, statistics, outputs }, context, work) => {
    const ends = [at(paths, 0, "path"), at(paths, 1, "path")] as const;
    return withPair({ paths: ends, options: { ...flags, statistics }, outputs }, context, async (pair) => {
      const { graph, engine, a, b, unaligned, data, statisticsData, inputs, binding, summary } = pair;
      const beside = await openBeside(measurement, flags, dataContext(pair));
      const subject = {
        graph,
        engine,
        a,
        b,
        unaligned,
        data,
        statisticsData,
        beside,
        symmetries: once(pair, context),
      };
      const implied = pair.statistics === "auto" ? {} : { statistics: pair.statistics };
      return work({ subject, implied, inputs, beside: { binding, ...(summary && { alignment: summary }) } });
    });
  },
};

const UNLIKE_PAIR: SubjectForm = {
  arguments: [
    ["<a>", "the first checkpoint: a file, or a folder", "a.safetensors"],
    ["<b>", "the second one; or the first again, to measure its own layers", "b.safetensors"],
  ],
  addOptions(command) {
    command
      .option(
        "--graph <file>",
        "the architecture of both, .onnx or model.json of a LayersModel (default: from config.json)",
      )
      .option("--graph-a <file>", "the architecture of A, if it is another one")
      .option("--graph-b <file>", "the architecture of B, if it is another one")
      .option(
        "--exported-from <checkpoint>",
        "the checkpoint that --graph was exported from, if it is none of the networks; it shows which weight is which",
      )
      .requiredOption("--data <name>", `examples; ${dataForms()}`);
    addExportedFromOptions(addScalingOptions(addEngineOption(command)));
  },
  open: ({ measurement: { attempt }, paths, flags, outputs }, context, work) => {
    const ends = [at(paths, 0, "path"), at(paths, 1, "path")] as const;
    const { graph, graphA = graph, graphB = graph } = flags;
    const { exportedFrom, exportedFromA = exportedFrom, exportedFromB = exportedFrom } = flags;
    return withCheckpoints(ends, async ([one, two]) => {
      const read = [graphA, graphB, exportedFromA, exportedFromB].filter((file) => file !== undefined);
      const inputs = [...one.files, ...two.files, ...read];
      for (const file of outputs) await assertOutput(file, inputs);
      const [a, b] = await openOwnArchitectures(
        [
          { path: ends[0], checkpoint: one, graph: graphA, exportedFrom: exportedFromA, letter: "a" },
          { path: ends[1], checkpoint: two, graph: graphB, exportedFrom: exportedFromB, letter: "b" },
        ],
        { attempt, options: flags, context },
      );
      const { data } = a;
      if (data === undefined) throw new UsageError(`Cannot ${attempt} without examples: add --data`);
      return work({ subject: { a, b, data }, implied: {}, inputs, beside: {} });
    });
  },
};

/** How commands name and open each sort of subject. */
export const SUBJECT_FORMS: Readonly<Record<SubjectName, SubjectForm>> = {
  network: NETWORK,
  networks: NETWORKS,
  pair: PAIR,
  "unlike-pair": UNLIKE_PAIR,
};

/** Adds the options of measurements whose networks share an architecture and are not aligned. */
function addSharedOptions(command: CommandUnknownOpts, measurement: AnyMeasurement): void {
  command
    .option(
      "--graph <file>",
      "the architecture, .onnx or model.json of a LayersModel (default: from config.json)",
    )
    .requiredOption("--data <name>", `labelled examples; ${dataForms()}`);
  addBesideOptions(command, measurement);
  if ("statistics" in measurement.options) addStatisticsDataOptions(command);
  addBindingOptions(addScalingOptions(addEngineOption(command)));
}

/** Opens networks that share an architecture, with their data. */
async function openNetworks<T>(
  { measurement, paths, flags, statistics, outputs }: SubjectRequest,
  context: Context,
  work: (subject: Subjects["networks"], shared: Omit<Opened, "subject">) => Promise<T>,
): Promise<T> {
  const { attempt, options } = measurement;
  assertNotKept({ ...flags, statistics });
  await assertArchitecture(attempt, paths, flags);
  const read = await openSharedArchitecture(paths, flags);
  const reading = dataContext(read);
  const { data, statisticsData: named } = await openData(flags, reading);
  return withCheckpoints(paths, async (checkpoints) => {
    const files = [flags.graph, flags.exportedFrom].filter((file) => file !== undefined);
    const inputs = [...checkpoints.flatMap((checkpoint) => checkpoint.files), ...files];
    for (const file of outputs) await assertOutput(file, inputs);
    const bound = await bindArchitecture(fitToData(read, data), checkpoints, flags, context);
    const { graph, engine, binding } = bound;
    const feeds = describeFeeds(attempt, graph, data, { ...flags, ...encodingOf(read) });
    for (const line of feeds) context.terminal.note(line);
    const labels = labelsOf(paths);
    const policy = statistics ?? defaultPolicyOf(options);
    const unscored =
      policy && (await openUnscoredFor(graph, flags, { context: reading, statistics: policy }));
    const subject = {
      ...{ graph, engine, data, statisticsData: named ?? unscored },
      networks: bound.networks.map(({ network }, k) => ({ label: at(labels, k, "label"), network })),
      beside: await openBeside(measurement, flags, reading),
      symmetries: once(bound, context),
    };
    const isImplied = statistics === undefined && named !== undefined && policy !== undefined;
    return work(subject, {
      implied: isImplied ? { statistics: "recalibrate" } : {},
      inputs,
      beside: { binding },
    });
  });
}

/** Returns the policy for norms if none is named; undefined for a measurement that has none. */
function defaultPolicyOf(options: AnyMeasurement["options"]): StatisticsChoice | undefined {
  return options["statistics"]?.default as StatisticsChoice | undefined;
}

function once({ graph, engine }: Pick<OpenedSubject, "graph" | "engine">, { signal, progress }: Context) {
  let symmetries: Promise<Symmetries> | undefined;
  return (): Promise<Symmetries> => {
    if (symmetries === undefined) progress("Discovering symmetries");
    symmetries ??= discoverSymmetries({ graph, engine }, { signal });
    return symmetries;
  };
}

const flagOf = (name: string, { flag }: ExamplesBeside): string =>
  flag ?? name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

function addBesideOptions(command: CommandUnknownOpts, { examplesBeside = {} }: AnyMeasurement): void {
  for (const [name, examples] of Object.entries(examplesBeside)) {
    command.option(`--${flagOf(name, examples)} <name>`, examples.help);
  }
}

/** Opens the further examples that a measurement asks for. */
async function openBeside(
  { attempt, examplesBeside = {} }: AnyMeasurement,
  flags: DataOptions & Readonly<Record<string, unknown>>,
  context: DataContext,
): Promise<ReadonlyMap<string, DataSet>> {
  const opened = new Map<string, DataSet>();
  for (const [name, examples] of Object.entries(examplesBeside)) {
    const flag = flagOf(name, examples);
    const said = flags[flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())];
    const source =
      said ?? (examples.default === "training-split" ? await nameTrainingSplit(flags.data) : undefined);
    if (typeof source === "string") opened.set(name, await openExamples(source, flags, context));
    else if (examples.default !== undefined) throw missingExamples(attempt, flag);
  }
  return opened;
}

function missingExamples(attempt: string, flag: string): UsageError {
  return new UsageError(
    `Cannot ${attempt} as it needs further examples, and --data has no training split: name examples by --${flag}`,
  );
}
