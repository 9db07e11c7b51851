import { at, type Checkpoint, expandPaths, InputError, UsageError, withCheckpoints } from "@isthmus/core";
import { createEngine } from "@isthmus/engine";
import {
  assertDataFits,
  type BindingSummary,
  type BoundNetwork,
  type DataSet,
  limitExamples,
  scoreBy,
} from "@isthmus/graph";
import type { Symmetries } from "@isthmus/symmetry";
import {
  assertArchitecture,
  type DataContext,
  dataContext,
  fitToData,
  noteFeeds,
  type OpenedArchitecture,
  openExamples,
  openTrainingData,
  parseNetwork,
} from "@isthmus/zoo";
import { bindArchitecture } from "../open/bind-architecture.ts";
import { openSharedArchitecture } from "../open/open-architecture.ts";
import { namesOf } from "../open/open-data.ts";
import { noteData } from "../result/fed-data.ts";
import type { Context } from "../verb.ts";
import { proveSymmetries } from "./prove-symmetries.ts";
import type { StarVerbOptions } from "./star-options.ts";

/** The examples that a star is found on, measured on, and tested on. */
export interface StarData {
  /** Examples to train on. */
  readonly training: DataSet;
  /** Examples that barriers are measured on; by default the training examples. */
  readonly measured: DataSet;
  /** The first examples of the training data, for statistics of norms. */
  readonly statistics: DataSet;
  /** Examples to predict, which no network was trained on; undefined if none are named. */
  readonly test: DataSet | undefined;
  /** Examples of other data, on which predictions should be unsure; undefined if none are named. */
  readonly outOfDistribution: DataSet | undefined;
}

/**
 * Opened networks and data that `isthmus star` works on, and the symmetries by which networks are aligned.
 */
export interface StarJob extends OpenedArchitecture {
  /** Networks that the star is to be connected to, under the graph's names, at least two. */
  readonly anchors: readonly Checkpoint[];
  /** Networks that the star is not found from, but verified on; may be empty. */
  readonly heldOut: readonly Checkpoint[];
  /** The network that the star starts from; undefined for the mean of the anchors. */
  readonly start: Checkpoint | undefined;
  /** The proved symmetries; undefined if nothing is aligned. */
  readonly symmetries: Symmetries | undefined;
  /** Examples to find, measure and test the star on. */
  readonly data: StarData;
  /** Paths of all files that are read. */
  readonly inputs: readonly string[];
  /** Summary of how the weights of the graph were found in the checkpoints. */
  readonly binding: BindingSummary;
  /** Renames the tensors of a network to the names in the file of the first anchor. */
  readonly restore: BoundNetwork["restore"];
}

/**
 * Opens networks and data, checks that they fit each other, passes them to `work`, and closes them
 * in any case.
 */
export async function withStarJob<T>(
  paths: readonly string[],
  options: StarVerbOptions,
  { context, work }: { readonly context: Context; readonly work: (job: StarJob) => Promise<T> },
): Promise<T> {
  const { from } = options;
  const anchorPaths = await expandPaths(paths);
  const heldPaths = await expandPaths(options.heldOut ?? []);
  assertApart(anchorPaths, heldPaths);
  const all = [...anchorPaths, ...heldPaths, ...(from === undefined ? [] : [from])];
  const read = options.net === undefined ? await openNamed(all, options) : undefined;
  const data = await openStarData(options, read === undefined ? {} : dataContext(read));
  return withCheckpoints(all, async (open) => {
    const { architecture: opened, random } =
      read === undefined
        ? await buildNetwork(options, data.training)
        : { architecture: fitToData(read, data.training), random: undefined };
    const {
      networks: bound,
      binding,
      ...architecture
    } = await bindArchitecture(opened, open, options, context);
    const heldBegin = anchorPaths.length;
    const heldEnd = heldBegin + heldPaths.length;
    const start = from === undefined ? random : at(bound, heldEnd, "network").network;
    const isScaled = options.mean !== undefined;
    noteFeeds("find a star", architecture, data.training, { isScaled, onNote: context.terminal.note });
    for (const set of [data.test, data.outOfDistribution])
      if (set !== undefined) assertDataFits("find a star", architecture.graph, set, 1);
    const symmetries = options.align
      ? await proveSymmetries({ ...architecture, networks: bound }, options, context)
      : undefined;
    const inputs = [
      ...open.flatMap(({ files }) => files),
      ...[options.graph, options.exportedFrom].filter((path) => path !== undefined),
    ];
    const anchors = bound.slice(0, heldBegin).map(({ network }) => network);
    const heldOut = bound.slice(heldBegin, heldEnd).map(({ network }) => network);
    const { restore } = at(bound, 0, "network");
    return work({ ...architecture, anchors, heldOut, start, symmetries, data, inputs, binding, restore });
  });
}

function assertApart(anchors: readonly string[], heldOut: readonly string[]): void {
  const [first] = anchors;
  if (anchors.length < 2) {
    throw new InputError(
      `Cannot find a star as there must be at least two anchors: got ${anchors.length === 1 ? `"${first}"` : "none"}`,
      { input: first ?? "anchors" },
    );
  }
  const both = heldOut.find((path) => anchors.includes(path));
  if (both === undefined) return;
  throw new InputError(
    `Cannot hold out "${both}" as the star must not be found from it: it is among the anchors`,
    { input: both },
  );
}

async function openStarData(options: StarVerbOptions, context: DataContext): Promise<StarData> {
  const { testData, oodData, measureData } = options;
  const { data: training, evaluationData: test } = await openTrainingData(
    { ...namesOf(options), evalData: testData },
    context,
  );
  const reading = { scaling: training.scaling, onOpen: noteData };
  if (oodData !== undefined && test === undefined) {
    throw new UsageError(
      "Cannot compare predictions with --ood-data as there must be data of the networks, too: add --test-data",
    );
  }
  return {
    training,
    measured: measureData === undefined ? training : await openExamples(measureData, context, reading),
    statistics: limitExamples("measure batch norms", training, options.recalibrateExamples),
    test,
    outOfDistribution: oodData === undefined ? undefined : await openExamples(oodData, context, reading),
  };
}

/** Opens the architecture that `--graph` names, or that the configs of the networks describe. */
async function openNamed(paths: readonly string[], options: StarVerbOptions): Promise<OpenedArchitecture> {
  await assertArchitecture("find a star", paths, options);
  return openSharedArchitecture(paths, options);
}

/** Builds the architecture that the short string of `--net` describes, and random weights for it. */
async function buildNetwork(
  { net, engine, seed, loss }: StarVerbOptions,
  data: DataSet,
): Promise<{ readonly architecture: OpenedArchitecture; readonly random: Checkpoint }> {
  const { graph, initialize } = parseNetwork(net ?? "", data);
  const architecture = {
    graph: scoreBy(graph, loss),
    carried: new Map(),
    engine: await createEngine(engine),
  };
  return { architecture, random: initialize(seed) };
}
