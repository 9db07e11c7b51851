import { asFloat32, at, type Checkpoint, DTYPES, resolveFields } from "@isthmus/core";
import { bindWeights, type DataSet, type Graph, limitExamples } from "@isthmus/graph";
import {
  type Alignment,
  type ContinuousSymmetries,
  type DroppedMixture,
  exchangeParts,
  MIXING_GROUPS,
  type SymmetricArchitecture,
} from "@isthmus/symmetry";
import { meanOfNetworks } from "../weights/mean-of-networks.ts";
import { assertFinite } from "../weights/read-parameters.ts";
import { streamGrams } from "./closed-form/stream-grams.ts";
import { changedWeights } from "./learning/changed-weights.ts";
import type { HalfWay } from "./learning/learn-mixture.ts";
import { JUDGED_BATCHES, learnSpaces } from "./learning/learn-spaces.ts";
import { createLearningKeeper, describeLearning, type LearningKeeper } from "./learning/learning-state.ts";
import { createMidpointMixer } from "./learning/midpoint-mixer.ts";
import { createSoftMidpoint, type SoftMidpoint } from "./learning/soft-midpoint.ts";
import { matchExchanges } from "./match-exchanges.ts";
import {
  chooseLearnedOptions,
  LEARNED_RUN,
  MATCH_LEARNED_FIELDS,
  type MatchLearnedOptions,
} from "./match-learned-options.ts";
import { openFrame } from "./open-frame.ts";
import type { Doubles, FramedNetworks, StreamFrame } from "./stream-frame.ts";
import { createTransform, type NetworkTransform } from "./transform-network.ts";
import { countFactors } from "./unit-factors.ts";

/** Options, all of which have values. */
type ResolvedOptions = Required<MatchLearnedOptions> & {
  readonly batchSize: number;
  readonly learningRate: number;
};

/** A network as learning brings it to the reference. */
export interface LearnedMove {
  /** Alignment that permutes the network, before its spaces are mixed. */
  readonly alignment: Alignment;
  /** Function that transforms a network as this one is moved; the result computes the same as before. */
  readonly transform: NetworkTransform;
  /**
   * Minus the loss half-way to the reference in closed form, and after descent by weights, in nats. Learning
   * starts at the best of both and of the unchanged network.
   */
  readonly start: { readonly closedForm: number; readonly descent: number };
  /** Number of units that learning moved away from the places in which weights had matched them. */
  readonly moved: number;
}

/** Facts of a learned match that are of all networks together. */
export interface SharedLearning {
  /** Symmetries beyond permutation that the transforms use. */
  readonly symmetries: ContinuousSymmetries;
  /** Mixtures that do not hold on the weights of one of the networks, so that they are not used. */
  readonly dropped: readonly DroppedMixture[];
  /**
   * Minus the loss half-way, or of the mean of more than two networks, against the mean prediction of all, in
   * nats: before they are aligned, and after.
   */
  readonly objective: { readonly before: number; readonly after: number };
  /** Residual streams and other spaces that are mixed, by group. */
  readonly spaces: Readonly<Record<string, number>>;
  /** Signs and scales of units beside the spaces. */
  readonly units: { readonly signs: number; readonly scales: number };
  /** Number of examples taken, from the first. */
  readonly examples: number;
  /** Steps made. */
  readonly steps: number;
  /** Step and loss, in nats, at which learning ended early as the loss was not finite; null if it did not. */
  readonly diverged: { readonly step: number; readonly loss: number } | null;
  /** Seed of all random choices. */
  readonly seed: number;
}

/** Result of {@link matchManyLearned}. */
export interface MatchManyLearnedResult extends SharedLearning {
  /** How each network but the first is moved, in order. */
  readonly others: readonly LearnedMove[];
}

/**
 * Brings networks to the first of them by elements of the whole symmetry group, one for each, for which the
 * mean of all has the least loss: {@link matchLearned} of any number of networks.
 *
 * Each network is first brought to the reference in closed form; from there all learn at once, by the
 * gradient of one loss: of the mean of all against the mean of their predictions.
 *
 * @param networks - at least two, of which the first is not changed
 * @throws MismatchError if a checkpoint does not fit the graph, or the graph gives no logits
 * @throws UnsupportedError if an operator has no gradient rule
 * @throws InputError if the data do not fit the graph
 * @throws OutOfRangeError if an option is out of range
 */
export async function matchManyLearned(
  architecture: SymmetricArchitecture,
  networks: readonly Checkpoint[],
  data: DataSet,
  options: MatchLearnedOptions,
): Promise<MatchManyLearnedResult> {
  const resolved = resolveFields("learn an alignment", MATCH_LEARNED_FIELDS, options, LEARNED_RUN);
  for (const network of networks) await assertFiniteWeights(architecture.graph, network);
  const { frame, dropped } = await openFrame(architecture, networks, resolved);
  const seen = limitExamples("learn an alignment", data, resolved.examples);
  const exchanges = await openExchanges(architecture, networks, frame, { ...resolved, data: seen });
  const exchanged: Checkpoint[] = [];
  const entered: Doubles[] = [];
  for (const [i, network] of networks.entries()) {
    exchanged.push(await at(exchanges, i, "network")(network));
    entered.push(await frame.enter(at(exchanged, i, "network")));
  }
  const { batchSize: asked, learningRate } = chooseLearnedOptions(
    { graph: architecture.graph, data: seen },
    resolved,
  );
  const batchSize = Math.min(asked, seen.size);
  if (resolved.batchSize !== undefined && batchSize < asked) {
    resolved.onNote?.(
      `There are ${batchSize} examples to learn from, so a step takes all of them and not ${asked}`,
    );
  }
  const framed = { architecture, frame, networks: entered };
  const withRespectTo = changedWeights(architecture, frame).map(({ name }) => name);
  const midpoint = await createSoftMidpoint(architecture, exchanged, seen, { batchSize, withRespectTo });
  // Opened resources are released in turn, as `await using` would do on newer versions of Node.
  try {
    const movers = networks.flatMap((_, i) => (i > 0 || resolved.ends === "both" ? [i] : []));
    const mixer = await createMidpointMixer(framed, { count: networks.length, movers });
    try {
      const options = { ...resolved, batchSize, learningRate };
      const before = await judgeUnaligned(architecture, networks, midpoint, resolved.signal);
      const tools = { seen, midpoint, mixer, movers, before };
      const { others, ...shared } = await matchFramed(framed, exchanged, tools, options);
      const moves = others.map(({ transform, ...move }, i) => ({
        ...move,
        transform: async (network: Checkpoint) => transform(await at(exchanges, i + 1, "network")(network)),
      }));
      return { ...shared, dropped, others: moves };
    } finally {
      await mixer.release();
    }
  } finally {
    await midpoint.release();
  }
}

/** Options that decide how parts are matched. */
interface ExchangeOptions
  extends Pick<Required<MatchLearnedOptions>, "streamExamples" | "batchSize" | "signal"> {
  readonly data: DataSet;
}

/** Function that lets the parts of a network, such as experts, change places. */
type Exchanging = (network: Checkpoint) => Promise<Checkpoint>;

/** Finds which parts of each network go to the places of the first's; the first keeps its own. */
async function openExchanges(
  architecture: SymmetricArchitecture,
  networks: readonly Checkpoint[],
  { symmetries: { exchanges } }: StreamFrame,
  { data, streamExamples, batchSize, signal }: ExchangeOptions,
): Promise<readonly Exchanging[]> {
  const stay: Exchanging = async (network) => network;
  if (exchanges.length === 0) return networks.map(() => stay);
  const examples = Math.min(streamExamples, data.size);
  const functions: Exchanging[] = [];
  for (const [i, network] of networks.entries()) {
    if (i === 0) {
      functions.push(stay);
      continue;
    }
    const orders = await matchExchanges(architecture, [at(networks, 0, "reference"), network], exchanges, {
      data,
      examples,
      batchSize: Math.min(batchSize ?? examples, examples),
      signal,
    });
    functions.push(async (other) => exchangeParts(other, exchanges, orders));
  }
  return functions;
}

/** The examples, and the tools that measure means of networks on them. */
interface LearningTools extends HalfWay {
  readonly seen: DataSet;
  /** Minus the loss of the mean of unaligned networks, in nats. */
  readonly before: number;
}

/** Searches, and describes the result. */
async function matchFramed(
  framed: FramedNetworks,
  networks: readonly Checkpoint[],
  { seen, before, ...halfway }: LearningTools,
  options: ResolvedOptions,
): Promise<Omit<MatchManyLearnedResult, "dropped">> {
  const { architecture, frame } = framed;
  const { batchSize, signal, streamExamples, seed } = options;
  const first = at(networks, 0, "reference");
  const gramsOf = (index: number) =>
    streamGrams(architecture, [first, at(networks, index, "network")], frame.symmetries.mixing, {
      data: seen,
      examples: Math.min(streamExamples, seen.size),
      batchSize,
      signal,
    });
  // Without spaces and scales the result rests on permutations alone, and there is nothing to learn.
  const { symmetries, units, movable } = frame;
  const canLearn = symmetries.mixing.spaces.length + units.scales.weights.size + movable.length > 0;
  const chosen = { ...options, steps: canLearn ? options.steps : 0 };
  const keeper = await openKeeper(framed, networks, { seen, movers: halfway.movers }, chosen);
  const result = await learnSpaces(framed, gramsOf, halfway, { ...chosen, keeper });
  const outside = await frame.outsideOf(first);
  return {
    others: result.others.map(({ spaces, objectives: { closedForm, descent }, moved }) => ({
      alignment: spaces.alignment,
      transform: createTransform(architecture, frame, spaces, outside),
      start: { closedForm, descent },
      moved,
    })),
    symmetries: frame.symmetries,
    objective: { before, after: result.after },
    spaces: countSpaces(frame),
    units: countFactors(frame.units),
    examples: seen.size,
    steps: result.steps,
    diverged: result.diverged,
    seed,
  };
}

/** Options that must be the same for learning to go on from a state. */
const DECISIVE = [
  "seed",
  "steps",
  "batchSize",
  "learningRate",
  "heads",
  "at",
  "units",
  "rule",
  "ends",
  "rounds",
  "streamExamples",
] as const;

/** Opens the keeper of the state of learning, if a file is named for it and there is something to learn. */
async function openKeeper(
  framed: FramedNetworks,
  networks: readonly Checkpoint[],
  { seen, movers }: Pick<LearningTools, "seen" | "movers">,
  options: ResolvedOptions,
): Promise<LearningKeeper | undefined> {
  const { statePath: path, steps, onNote } = options;
  if (path === undefined || steps === 0) return undefined;
  const decisive = Object.fromEntries(DECISIVE.map((name) => [name, options[name]]));
  const run = await describeLearning(framed, networks, seen, decisive);
  return createLearningKeeper(framed, movers, { path, run, onNote });
}

/** Checks that weights are finite. @throws InputError if one is not; its tensor is named */
async function assertFiniteWeights({ weights }: Graph, network: Checkpoint): Promise<void> {
  for (const name of weights.keys()) {
    const { data, dtype } = await network.read(name);
    if (DTYPES[dtype].float) assertFinite(asFloat32(data, dtype), name, network.source);
  }
}

/** Measures the mean of unaligned networks. */
async function judgeUnaligned(
  { graph }: SymmetricArchitecture,
  networks: readonly Checkpoint[],
  midpoint: SoftMidpoint,
  signal: AbortSignal | undefined,
): Promise<number> {
  const mean = await bindWeights(graph, await meanOfNetworks(graph, networks));
  return -(await midpoint.evaluate(mean, { batches: JUDGED_BATCHES, signal }));
}

function countSpaces({ symmetries }: StreamFrame): Record<string, number> {
  const groups = symmetries.mixing.spaces.map(({ group }) => group);
  const present = MIXING_GROUPS.filter((group) => groups.includes(group));
  return Object.fromEntries(
    present.map((group) => [group, groups.filter((other) => other === group).length]),
  );
}
