import { at, type Checkpoint, expandPaths, InputError, UsageError, withCheckpoints } from "@isthmus/core";
import {
  type Architecture,
  assertDataFits,
  type BindingSummary,
  type BoundArchitecture,
  type BoundNetwork,
  bindArchitecture,
  type DataSet,
  limitExamples,
  scoreBy,
} from "@isthmus/graph";
import type { Symmetries } from "@isthmus/symmetry";
import { align, reportAlignment } from "@isthmus/weight-matching";
import {
  assertArchitecture,
  type DataContext,
  dataContext,
  fitToData,
  noteFeeds,
  type OpenedArchitecture,
  openExamples,
  openSharedArchitecture,
  openTrainingData,
  parseNetwork,
  type SharedReading,
} from "@isthmus/zoo";
import type { OpeningControl } from "./subject-options.ts";

/** Names of the networks and the examples of a star, beside its anchors. */
export interface StarOptions extends Omit<SharedReading, "exportedFrom">, Omit<OpeningControl, "onFiles"> {
  /** Checkpoint that the graph was exported from, if it is none of the networks. */
  readonly exportedFrom?: string | undefined;
  /** Short string that the architecture is built by, in place of `graph`; the star then starts at random. */
  readonly net?: string | undefined;
  /** Networks that the star is verified on, and not found from; names may be patterns. @defaultValue none */
  readonly heldOut?: readonly string[] | undefined;
  /**
   * Checkpoint that the star starts from. @defaultValue the mean of the anchors, or random weights of `net`
   */
  readonly from?: string | undefined;
  /** Name of the examples that the star is found on. */
  readonly data: string;
  /** Name of the examples that it is measured on. @defaultValue the ones it is found on */
  readonly measureData?: string | undefined;
  /** Name of the examples that predictions are compared on; `none` for none. @defaultValue another split */
  readonly testData?: string | undefined;
  /** Name of other data, of which predictions should be unsure. @defaultValue none */
  readonly oodData?: string | undefined;
  /** Number of examples for statistics of norms, from the first of `data`. */
  readonly recalibrateExamples: number;
  /** Whether the symmetries of the networks are discovered and proved, so that the star can be aligned. */
  readonly align: boolean;
  /** Seed of everything random. */
  readonly seed: number;
  /** Number of searches by which symmetries are proved. */
  readonly restarts: number;
}

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

/** Opened networks and examples of a star. */
export interface StarSubject extends OpenedArchitecture {
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
  readonly files: readonly string[];
  /** Summary of how the weights of the graph were found in the checkpoints. */
  readonly binding: BindingSummary;
  /** Renames the tensors of a network to the names in the file of the first anchor. */
  readonly restore: BoundNetwork["restore"];
}

/**
 * Opens the anchors of a star and examples, checks that they fit each other, passes them to `work`, and
 * closes them in any case.
 * @param paths - files of the anchors; names may be patterns
 */
export async function withStar<T>(
  paths: readonly string[],
  options: StarOptions,
  work: (subject: StarSubject) => Promise<T>,
): Promise<T> {
  const { from, net, onNote } = options;
  const anchorPaths = await expandPaths(paths);
  const heldPaths = await expandPaths(options.heldOut ?? []);
  assertApart(anchorPaths, heldPaths);
  const all = [...anchorPaths, ...heldPaths, ...(from === undefined ? [] : [from])];
  const source = net ?? (await openNamed(all, options));
  const data = await openStarData(options, typeof source === "string" ? {} : dataContext(source));
  return withCheckpoints(all, async (open) => {
    const { architecture: opened, random } =
      typeof source === "string"
        ? buildNetwork(source, data.training, options)
        : { architecture: fitToData(source, data.training), random: undefined };
    const { networks: bound, binding, ...architecture } = await bindArchitecture(opened, open, options);
    const heldBegin = anchorPaths.length;
    const heldEnd = heldBegin + heldPaths.length;
    const start = from === undefined ? random : at(bound, heldEnd, "network").network;
    const isScaled = options.scaling !== undefined;
    noteFeeds("find a star", architecture, data.training, { isScaled, onNote });
    for (const set of [data.test, data.outOfDistribution])
      if (set !== undefined) assertDataFits("find a star", architecture.graph, set, 1);
    const symmetries = options.align
      ? await proveSymmetries({ ...architecture, networks: bound }, options)
      : undefined;
    const files = [
      ...open.flatMap((checkpoint) => checkpoint.files),
      ...[options.graph, options.exportedFrom].filter((path) => path !== undefined),
    ];
    const anchors = bound.slice(0, heldBegin).map(({ network }) => network);
    const heldOut = bound.slice(heldBegin, heldEnd).map(({ network }) => network);
    const { restore } = at(bound, 0, "network");
    return work({ ...architecture, anchors, heldOut, start, symmetries, data, files, binding, restore });
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

async function openStarData(options: StarOptions, context: DataContext): Promise<StarData> {
  const { testData, oodData, measureData } = options;
  const { data: training, evaluationData: test } = await openTrainingData(
    { ...options, evalData: testData },
    context,
  );
  const reading = { scaling: training.scaling, onOpen: options.onOpen };
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

/** Opens the architecture that `graph` names, or that the configs of the networks describe. */
async function openNamed(paths: readonly string[], options: StarOptions): Promise<OpenedArchitecture> {
  await assertArchitecture("find a star", paths, options);
  return openSharedArchitecture(paths, options.engine, options);
}

/** Builds the architecture that the short string describes, and random weights for it. */
function buildNetwork(
  net: string,
  data: DataSet,
  { engine, seed, loss }: StarOptions,
): { readonly architecture: OpenedArchitecture; readonly random: Checkpoint } {
  const { graph, initialize } = parseNetwork(net, data);
  return {
    architecture: { graph: scoreBy(graph, loss), carried: new Map(), engine },
    random: initialize(seed),
  };
}

/** Discovers the symmetries of networks, and proves them by aligning the second network to the first. */
async function proveSymmetries(
  { networks, ...architecture }: Architecture & Pick<BoundArchitecture, "networks">,
  { seed, restarts, signal, onNote = () => {}, onProgress = () => {} }: StarOptions,
): Promise<Symmetries> {
  const { symmetries } = await align(architecture, networks.slice(0, 2), {
    seed,
    restarts,
    signal,
    onNote: (text) => onNote(`${text}.`),
    onProgress: reportAlignment("weight", onProgress),
  });
  return symmetries;
}
