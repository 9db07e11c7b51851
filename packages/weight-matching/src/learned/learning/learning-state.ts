import { at, type Checkpoint, createTensor, findNonFinite, MismatchError, type Tensor } from "@isthmus/core";
import { type DataSet, fingerprintGraph, fingerprintWeights, withoutDevice } from "@isthmus/graph";
import { rm } from "@isthmus/platform";
import { identityAlignment, identityMixture, type Mixture } from "@isthmus/symmetry";
import {
  describeData,
  loadWorkStateInto,
  type RunDescription,
  saveWorkState,
  type WorkKind,
} from "@isthmus/training";
import type { LearningStart } from "../find-start.ts";
import { permuteFramed } from "../permute-framed.ts";
import { type FramedNetworks, type FramedPair, pairOf } from "../stream-frame.ts";
import { identityFactors, multiplied } from "../unit-factors.ts";
import { beginLearning, type Learning } from "./learning.ts";
import type { Moments } from "./moving-adam.ts";
import type { MixedUnits } from "./unit-inputs.ts";

/** Starts of learning, and its present state. */
export interface BegunLearning {
  /** Start of each network but the reference that was found in closed form or by descent. */
  readonly starts: readonly LearningStart[];
  /** State of each network that moves after the steps made so far. */
  readonly learning: readonly Learning[];
}

/** Keeper of the state of learning in a file, so that an interrupted learning goes on to the same bytes. */
export interface LearningKeeper {
  /**
   * Returns the state that the file holds; undefined if it is not of the same learning, or there is none.
   * @throws FormatError if the file is no such state
   */
  load(): Promise<BegunLearning | undefined>;
  /** Writes the starts and the state to the file. */
  save(begun: BegunLearning): Promise<void>;
}

/** Options of {@link createLearningKeeper}. */
export interface LearningKeeperOptions {
  /** Path of the file, a safetensors file. */
  readonly path: string;
  /** Description of everything that decides the result. */
  readonly run: RunDescription;
  /**
   * Called with a note that says whether a saved state is continued, or why it is not used.
   * @defaultValue nothing is called
   */
  readonly onNote?: ((text: string) => void) | undefined;
}

interface LearningPosition {
  /** Steps made so far. */
  readonly step: number;
}

const LEARNING: WorkKind<LearningPosition> = {
  what: "learned alignment",
  of: "networks",
  key: "isthmus-learned-alignment",
  version: 1,
  isPosition: (value): value is LearningPosition =>
    Number.isSafeInteger((value as Partial<LearningPosition> | null)?.step),
};

/** Words for the items that {@link describeLearning} compares, if their names are no words. */
const WORDS: Readonly<Record<string, string>> = {
  graph: "the graph",
  a: "the first network",
  b: "the second network",
  batchSize: "examples in a step",
  learningRate: "the largest step",
  at: "where steps are made",
  units: "whether units are moved",
  rule: "how steps are made",
  ends: "which networks move",
  streamExamples: "examples that streams are aligned by",
};

/** Describes a learned alignment, so that no other goes on from its state. */
export async function describeLearning(
  { architecture: { graph, engine } }: Pick<FramedPair, "architecture">,
  networks: readonly Checkpoint[],
  data: DataSet,
  options: Readonly<Record<string, string | number>>,
): Promise<RunDescription> {
  const fingerprints: Record<string, string> = {};
  for (const [i, network] of networks.entries())
    fingerprints[["a", "b"][i] ?? `network ${i + 1}`] = await fingerprintWeights(graph, network);
  return {
    graph: fingerprintGraph(graph),
    ...fingerprints,
    data: describeData(data),
    engine: withoutDevice(engine.name),
    ...options,
  };
}

/**
 * Creates the keeper of a file. A state of other networks, data or options is not used, and a note says so.
 */
export function createLearningKeeper(
  framed: FramedNetworks,
  movers: readonly number[],
  { path, run, onNote }: LearningKeeperOptions,
): LearningKeeper {
  return {
    async load() {
      const blank = blankState(framed, movers);
      try {
        const position = await loadWorkStateInto(path, LEARNING, run, blank.tensors);
        if (position === undefined) return undefined;
        const { step } = position;
        onNote?.(`Going on with what was interrupted at "${path}": ${step} steps are made`);
        return await blank.complete(step);
      } catch (error) {
        if (!(error instanceof MismatchError)) throw error;
        const wordsFor = (name: string) =>
          blank.tensors.has(name) ? "the networks or options" : WORDS[name];
        const changed = error.parameters.map((name) => wordsFor(name) ?? name).join(", ");
        onNote?.(`Starting anew what was interrupted at "${path}", as this has changed: ${changed}`);
        // A run that stops before its first save has no state to continue from.
        await rm(path, { force: true });
        return undefined;
      }
    },
    async save({ starts, learning }) {
      const stored = starts.map(({ spaces, objectives }) => ({
        ...spaces,
        objectives: Float64Array.from(OBJECTIVES, (name) => objectives[name]),
      }));
      const tensors = namedTensors(stored, learning, movers);
      // Steps that diverge are made again from the last state that is finite, and end in the same way.
      if ([...tensors.values()].some((tensor) => findNonFinite(tensor) >= 0)) return;
      const { step } = at(learning, 0, "network");
      await saveWorkState(path, LEARNING, { run, position: { step } }, tensors);
    },
  };
}

/** A start without B's weights, which are computed again. */
type StoredStart = Omit<LearningStart["spaces"], "placed"> & {
  /** Objectives of the start, in the order of {@link OBJECTIVES}. */
  readonly objectives: Float64Array;
};

const OBJECTIVES = ["best", "closedForm", "descent"] as const;

/** Creates tensors of the right extents to be read into, and a function that makes a state of them. */
function blankState(framed: FramedNetworks, movers: readonly number[]) {
  const starts = framed.networks.slice(1).map(() => blankStart(framed));
  const learning = movers.map((mover) => blankLearning(framed, mover));
  return {
    tensors: namedTensors(starts, learning, movers),
    async complete(step: number): Promise<BegunLearning> {
      const complete: LearningStart[] = [];
      for (const [i, start] of starts.entries())
        complete.push(await completeStart(pairOf(framed, i + 1), start));
      return { starts: complete, learning: learning.map((one) => ({ ...one, step })) };
    },
  };
}

/** Creates an identity mixture, of which no two arrays are one. */
function blankMixture({ frame }: Pick<FramedNetworks, "frame">): Mixture {
  const { matrices } = identityMixture(frame.symmetries.mixing.spaces);
  return { matrices, inverses: matrices.map((matrix) => matrix.slice()) };
}

function blankStart(framed: FramedNetworks): StoredStart {
  return {
    factors: identityFactors(framed.frame.units),
    mixture: blankMixture(framed),
    alignment: identityAlignment(framed.architecture.symmetries.spec),
    objectives: new Float64Array(OBJECTIVES.length),
  };
}

function blankLearning(framed: FramedNetworks, mover: number): Learning {
  const { frame } = framed;
  const begun = beginLearning(frame, blankMixture(framed), mover === 0 ? [] : frame.movable);
  const before = {
    mixture: blankMixture(framed),
    scales: begun.current.scales.slice(),
    places: begun.current.places.map((list) => list.slice()),
  };
  return { ...begun, before };
}

/** Computes the weights of a network at its start again. */
async function completeStart(
  { architecture, frame, b }: FramedPair,
  { objectives, ...spaces }: StoredStart,
): Promise<LearningStart> {
  const [best, closedForm, descent] = OBJECTIVES.map((name, i) => at(objectives, i, name)) as [
    number,
    number,
    number,
  ];
  const permuted = await permuteFramed(architecture, spaces.alignment, b);
  const placed = multiplied(frame.units, permuted, spaces.factors);
  return { spaces: { ...spaces, placed }, objectives: { best, closedForm, descent } };
}

/** Names everything that a state holds; the tensors share its memory. */
function namedTensors(
  starts: readonly StoredStart[],
  learning: readonly Learning[],
  movers: readonly number[],
): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  // A pair's names have no number before them: only its second network moves.
  const prefixOf = (network: number) => (network === 1 ? "" : `${network}.`);
  for (const [i, start] of starts.entries()) addStart(tensors, prefixOf(i + 1), start);
  for (const [i, mover] of movers.entries())
    addLearning(tensors, prefixOf(mover), at(learning, i, "network"));
  return tensors;
}

/** Adds numbers to tensors; without scales there are no numbers, and nothing to write. */
function addNumbers(tensors: Map<string, Tensor>, name: string, data: Float64Array): void {
  if (data.length > 0) tensors.set(name, createTensor("f64", [data.length], data));
}

function addUnits(tensors: Map<string, Tensor>, name: string, { mixture, scales, places }: MixedUnits): void {
  for (const [units, list] of places.entries())
    tensors.set(`${name}.places.${units}`, createTensor("i32", [list.length], list));
  for (const [space, matrix] of mixture.matrices.entries())
    addNumbers(tensors, `${name}.matrices.${space}`, matrix);
  for (const [space, inverse] of mixture.inverses.entries())
    addNumbers(tensors, `${name}.inverses.${space}`, inverse);
  addNumbers(tensors, `${name}.scales`, scales);
}

function addStart(tensors: Map<string, Tensor>, prefix: string, start: StoredStart): void {
  const { source } = start.alignment;
  tensors.set(`${prefix}alignment`, createTensor("i32", [source.length], source));
  addNumbers(tensors, `${prefix}objectives`, start.objectives);
  addNumbers(tensors, `${prefix}start.signs`, start.factors.signs);
  const { mixture, factors } = start;
  addUnits(tensors, `${prefix}start`, { mixture, scales: factors.scales, places: [] });
}

function addLearning(tensors: Map<string, Tensor>, prefix: string, learning: Learning): void {
  const addMoments = (name: string, { mean, square }: Moments): void => {
    addNumbers(tensors, `${prefix}${name}.mean`, mean);
    addNumbers(tensors, `${prefix}${name}.square`, square);
  };
  addUnits(tensors, `${prefix}current`, learning.current);
  addUnits(tensors, `${prefix}before`, learning.before);
  for (const [space, moments] of learning.ofMatrices.entries()) addMoments(`moments.${space}`, moments);
  addMoments("moments.scales", learning.ofScales);
  for (const [units, { scores, moments }] of learning.scores.entries()) {
    addNumbers(tensors, `${prefix}scores.${units}`, scores);
    addMoments(`scores.${units}`, moments);
  }
}
