import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { at, UsageError, withCheckpoints } from "@isthmus/core";
import type { AnyMeasurement, PageFact, SubjectName, Subjects } from "@isthmus/findings";
import {
  type Architecture,
  assertDataFits,
  type BindingSummary,
  type BoundNetwork,
  type DataSet,
} from "@isthmus/graph";
import type { StatisticsChoice } from "@isthmus/statistics";
import { discoverOnce, type Symmetries } from "@isthmus/symmetry";
import type { NamedExamples } from "@isthmus/workers";
import { assertArchitecture, dataContext, fitToData, noteFeeds } from "@isthmus/zoo";
import { alignmentFacts } from "../format/describe-pair.ts";
import { BETWEEN, EVERY_NETWORK } from "../format/format-statistics.ts";
import { labelsOf } from "../format/labels-of.ts";
import { addBindingOptions, type BindingOptions, bindArchitecture } from "../open/bind-architecture.ts";
import { openSharedArchitecture } from "../open/open-architecture.ts";
import {
  addScalingOptions,
  type DataOptions,
  namesOf,
  openData,
  openScaled,
  openUnscoredFor,
} from "../open/open-data.ts";
import {
  addExportedFromOptions,
  type ExportedFromOptions,
  openOwnArchitectures,
} from "../open/open-own-architectures.ts";
import { withPair } from "../open/open-pair.ts";
import { addDataOption, dataForms } from "../options/data-forms.ts";
import { addEngineOption, type EngineOptions } from "../options/engine-option.ts";
import { assertNotKept } from "../options/norm-options.ts";
import { addPairSubjectOptions, type PairOptions } from "../options/pair-options.ts";
import { assertOutput } from "../output/assert-output.ts";
import type { Context } from "../verb.ts";
import { openBeside } from "./beside-options.ts";
import { addSetOptions, openSets, type SetOptions } from "./set-options.ts";

/** An opened subject, and what the command reports of it beside the result. */
export interface Opened {
  readonly subject: Subjects[SubjectName];
  /** Options of the measurement that follow from how the subject was opened. */
  readonly implied: Readonly<Record<string, unknown>>;
  /** Files that are read, and must not be overwritten. */
  readonly inputs: readonly string[];
  /** Facts about the subject that a page shows beside the facts of the result. */
  readonly facts: readonly PageFact[];
  /** Fields that `--json` has beside the fields of the result. */
  readonly beside: { readonly binding?: BindingSummary; readonly alignment?: object };
  /** Gives the tensors of a network the names in the files. @defaultValue they have these already */
  readonly restore?: BoundNetwork["restore"];
  /**
   * Names of the examples, by which other processes open them again.
   * @defaultValue no other process opens this sort of subject
   */
  readonly named?: Pick<NamedExamples, "names" | "context">;
}

/** Names of a subject and its examples from a command line, with the options of its measurement. */
export interface SubjectRequest {
  readonly measurement: AnyMeasurement;
  readonly paths: readonly string[];
  /** Options of the measurement with their defaults, without the ones of a training. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Options of the command, as the parser of command lines has them. */
  readonly flags: SubjectFlags;
  /** Name of the examples to train on; undefined if nothing is trained, or the subject names them itself. */
  readonly training: string | undefined;
  /** Policy for norms that the command line names. */
  readonly statistics: StatisticsChoice | undefined;
  /** Files that will be written. */
  readonly outputs: readonly string[];
}

type SubjectFlags = PairOptions &
  DataOptions &
  EngineOptions &
  BindingOptions &
  ExportedFromOptions &
  SetOptions & { readonly graphA?: string; readonly graphB?: string; readonly star?: string };

/** Way in which commands name and open a sort of subject. */
export interface SubjectForm {
  /** Arguments with their help, and how examples name them. */
  readonly arguments: readonly (readonly [name: string, help: string, example: string])[];
  /** Help of the arguments of a measurement on the line between them. @defaultValue the help beside them */
  readonly helpOnLine?: readonly string[];
  /**
   * Words for the networks whose statistics of norms are corrected, for the line about that.
   * @defaultValue there is no such line
   */
  readonly corrected?: string;
  /** Whether weights alone are read: example commands name no graph and no data. @defaultValue false */
  readonly isOfWeights?: true;
  addOptions(command: CommandUnknownOpts, measurement: AnyMeasurement): void;
  open<T>(request: SubjectRequest, context: Context, work: (opened: Opened) => Promise<T>): Promise<T>;
}

/** Way in which commands name and open one network. */
export const NETWORK_FORM: SubjectForm = {
  arguments: [["<network>", "the checkpoint: a file, or a folder", "a.safetensors"]],
  addOptions: addSharedOptions,
  open: (request, context, work) =>
    openNetworks(request, context, ({ networks, ...opened }, shared) => {
      const { network } = at(networks, 0, "network");
      return work({ ...shared, subject: { ...opened, network } });
    }),
};

/** Way in which commands name and open several networks of one architecture. */
export const NETWORKS_FORM: SubjectForm = {
  arguments: [
    ["<networks...>", "the checkpoints: files, or folders", "a.safetensors b.safetensors c.safetensors"],
  ],
  corrected: EVERY_NETWORK,
  addOptions: addSharedOptions,
  open: (request, context, work) =>
    openNetworks(request, context, (subject, shared) => work({ ...shared, subject })),
};

/** Way in which commands name and open two networks. */
export const PAIR_FORM: SubjectForm = {
  arguments: [
    ["<a>", "the first network: a checkpoint file, or a folder", "a.safetensors"],
    ["<b>", "the second network", "b.safetensors"],
  ],
  helpOnLine: ["the checkpoint at t = 0: a file, or a folder", "the checkpoint at t = 1"],
  corrected: BETWEEN,
  addOptions: addPairSubjectOptions,
  open: (request, context, work) =>
    openPair(request, context, (subject, shared) => work({ ...shared, subject })),
};

/** Way in which commands name and open two networks, and several sets of examples. */
export const PAIR_ON_SETS_FORM: SubjectForm = {
  ...PAIR_FORM,
  addOptions(command) {
    addSetOptions(command);
    addPairSubjectOptions(command);
  },
  open: (request, context, work) =>
    openPair(request, context, async (subject, shared) => {
      const sets = await openSets(request.measurement.attempt, subject, request.flags);
      return work({ ...shared, subject: { ...subject, sets } });
    }),
};

/** Opens two networks that share an architecture; the second is aligned if options ask for it. */
async function openPair<T>(
  { measurement, paths, flags, training, statistics, outputs }: SubjectRequest,
  context: Context,
  work: (subject: Subjects["pair"], shared: Omit<Opened, "subject">) => Promise<T>,
): Promise<T> {
  const ends = [at(paths, 0, "path"), at(paths, 1, "path")] as const;
  const request = { paths: ends, options: { ...flags, statistics }, training, outputs };
  return withPair(request, context, async (pair) => {
    const { graph, engine, a, b, unaligned, data, statisticsData, inputs, binding, summary } = pair;
    const scaled = { context: dataContext(pair), scaling: data.scaling };
    const beside = await openBeside(measurement, flags, scaled);
    const { on } = measurement.trains ?? {};
    if (on !== undefined && pair.training !== undefined) beside.set(on, pair.training);
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
      symmetries: symmetriesOf(pair, context),
    };
    return work(subject, {
      implied: pair.statistics === "auto" ? {} : { statistics: pair.statistics },
      inputs,
      facts: alignmentFacts(summary),
      beside: { ...(summary && { alignment: summary }), binding },
      restore: at(pair.networks, 0, "network").restore,
    });
  });
}

/** Way in which commands name and open two networks that may differ in their architectures. */
export const UNLIKE_PAIR_FORM: SubjectForm = {
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
      return work({ subject: { a, b, data }, implied: {}, inputs, facts: [], beside: {} });
    });
  },
};

/** Adds the options of measurements whose networks share an architecture and are not aligned. */
export function addSharedOptions(command: CommandUnknownOpts): void {
  command.option(
    "--graph <file>",
    "the architecture, .onnx or model.json of a LayersModel (default: from config.json)",
  );
  addDataOption(command, `labelled examples; ${dataForms()}`);
  addBindingOptions(addScalingOptions(addEngineOption(command)));
}

/** Further examples for networks, with bytes scaled like the ones to measure on. */
export interface FurtherExamples {
  /** Examples that the request names in `others`. */
  readonly others: readonly DataSet[];
  open(name: string): Promise<DataSet>;
}

/** Networks that share an architecture, as a command line names them. */
export interface NetworksRequest extends SubjectRequest {
  /**
   * Names of other data, which are opened before the further examples of the measurement.
   * @defaultValue none
   */
  readonly others?: readonly string[];
}

/** Opens networks that share an architecture, with their data. */
export async function openNetworks<T>(
  { measurement, paths, flags, statistics, outputs, others: named = [] }: NetworksRequest,
  context: Context,
  work: (
    subject: Subjects["networks"],
    shared: Omit<Opened, "subject">,
    further: FurtherExamples,
  ) => Promise<T>,
): Promise<T> {
  const { attempt, options } = measurement;
  assertNotKept({ ...flags, statistics });
  await assertArchitecture(attempt, paths, flags);
  const read = await openSharedArchitecture(paths, flags);
  const reading = dataContext(read);
  const { data, statisticsData } = await openData(flags, reading);
  return withCheckpoints(paths, async (checkpoints) => {
    const files = [flags.graph, flags.exportedFrom].filter((file) => file !== undefined);
    const inputs = [...checkpoints.flatMap((checkpoint) => checkpoint.files), ...files];
    for (const file of outputs) await assertOutput(file, inputs);
    const bound = await bindArchitecture(fitToData(read, data), checkpoints, flags, context);
    const { graph, engine, binding } = bound;
    const isScaled = flags.mean !== undefined;
    noteFeeds(attempt, bound, data, { isScaled, onNote: context.terminal.note });
    const labels = labelsOf(paths);
    const policy = statistics ?? defaultPolicyOf(options);
    const unscored =
      statisticsData === undefined && policy !== undefined
        ? await openUnscoredFor(graph, flags, { context: reading, statistics: policy })
        : undefined;
    const recalibrateData = unscored?.name ?? flags.recalibrateData;
    const scaled = { context: reading, scaling: data.scaling };
    const open = async (name: string) => {
      const further = await openScaled(name, data.scaling, reading);
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
      beside: await openBeside(measurement, flags, scaled),
      symmetries: symmetriesOf(bound, context),
    };
    const isImplied = statistics === undefined && statisticsData !== undefined && policy !== undefined;
    const implied = isImplied ? { statistics: "recalibrate" } : {};
    const { restore } = at(bound.networks, 0, "network");
    const shared = {
      implied,
      inputs,
      facts: [],
      beside: { binding },
      restore,
      named: { names: namesOf({ ...flags, recalibrateData }), context: reading },
    };
    return work(subject, shared, { others, open });
  });
}

/** Returns the policy for norms if none is named; undefined for a measurement that has none. */
function defaultPolicyOf(options: AnyMeasurement["options"]): StatisticsChoice | undefined {
  return options["statistics"]?.default as StatisticsChoice | undefined;
}

/** Returns a function that discovers the symmetries of an opened subject once, and shows that it does. */
function symmetriesOf(architecture: Architecture, { signal, progress }: Context): () => Promise<Symmetries> {
  return discoverOnce(architecture, { signal }, () => progress("Discovering symmetries"));
}
