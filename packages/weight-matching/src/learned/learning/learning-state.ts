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
import type { FramedPair } from "../stream-frame.ts";
import { identityFactors, multiplied } from "../unit-factors.ts";
import { beginLearning, type Learning } from "./learning.ts";
import type { Moments } from "./moving-adam.ts";
import type { MixedUnits } from "./unit-inputs.ts";

/** Start of learning, and its present state. */
export interface BegunLearning {
  /** Start that was found in closed form or by descent. */
  readonly start: LearningStart;
  /** State after the steps made so far. */
  readonly learning: Learning;
}

/** Keeper of the state of learning in a file, so that an interrupted learning goes on to the same bytes. */
export interface LearningKeeper {
  /**
   * Returns the state that the file holds; undefined if it is not of the same learning, or there is none.
   * @throws FormatError if the file is no such state
   */
  load(): Promise<BegunLearning | undefined>;
  /** Writes the start and the state to the file. */
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
  streamExamples: "examples that streams are aligned by",
};

/** Describes a learned alignment, so that no other goes on from its state. */
export async function describeLearning(
  { architecture: { graph, engine } }: Pick<FramedPair, "architecture">,
  [a, b]: readonly [Checkpoint, Checkpoint],
  data: DataSet,
  options: Readonly<Record<string, string | number>>,
): Promise<RunDescription> {
  return {
    graph: fingerprintGraph(graph),
    a: await fingerprintWeights(graph, a),
    b: await fingerprintWeights(graph, b),
    data: describeData(data),
    engine: withoutDevice(engine.name),
    ...options,
  };
}

/**
 * Creates the keeper of a file. A state of other networks, data or options is not used, and a note says so.
 */
export function createLearningKeeper(
  pair: FramedPair,
  { path, run, onNote }: LearningKeeperOptions,
): LearningKeeper {
  return {
    async load() {
      const blank = blankState(pair);
      try {
        const position = await loadWorkStateInto(path, LEARNING, run, blank.tensors);
        if (position === undefined) return undefined;
        const { step } = position;
        onNote?.(`Going on with what was interrupted at "${path}": ${step} steps are made`);
        return await blank.complete(step);
      } catch (error) {
        if (!(error instanceof MismatchError)) throw error;
        const changed = error.parameters.map((name) => WORDS[name] ?? name).join(", ");
        onNote?.(`Starting anew what was interrupted at "${path}", as this has changed: ${changed}`);
        // A run that stops before its first save has no state to continue from.
        await rm(path, { force: true });
        return undefined;
      }
    },
    async save({ start: { spaces, objectives }, learning }) {
      const start = { ...spaces, objectives: Float64Array.from(OBJECTIVES, (name) => objectives[name]) };
      const tensors = namedTensors(start, learning);
      // Steps that diverge are made again from the last state that is finite, and end in the same way.
      if ([...tensors.values()].some((tensor) => findNonFinite(tensor) >= 0)) return;
      await saveWorkState(path, LEARNING, { run, position: { step: learning.step } }, tensors);
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
function blankState({ architecture, frame, b }: FramedPair) {
  const blank = (): Mixture => {
    const { matrices } = identityMixture(frame.symmetries.mixing.spaces);
    return { matrices, inverses: matrices.map((matrix) => matrix.slice()) };
  };
  const factors = identityFactors(frame.units);
  const begun = beginLearning(frame, blank());
  const { places } = begun.current;
  const before = {
    mixture: blank(),
    scales: factors.scales.slice(),
    places: places.map((list) => list.slice()),
  };
  const learning = { ...begun, before };
  const start: StoredStart = {
    factors,
    mixture: blank(),
    alignment: identityAlignment(architecture.symmetries.spec),
    objectives: new Float64Array(OBJECTIVES.length),
  };
  return {
    tensors: namedTensors(start, learning),
    async complete(step: number): Promise<BegunLearning> {
      const { objectives, ...spaces } = start;
      const [best, closedForm, descent] = OBJECTIVES.map((name, i) => at(objectives, i, name)) as [
        number,
        number,
        number,
      ];
      const permuted = await permuteFramed(architecture, spaces.alignment, b);
      const placed = multiplied(frame.units, permuted, factors);
      return {
        start: { spaces: { ...spaces, placed }, objectives: { best, closedForm, descent } },
        learning: { ...learning, step },
      };
    },
  };
}

/** Names everything that a state holds; the tensors share its memory. */
function namedTensors(start: StoredStart, learning: Learning): Map<string, Tensor> {
  const { source } = start.alignment;
  const tensors = new Map([["alignment", createTensor("i32", [source.length], source)]]);
  const add = (name: string, data: Float64Array): void => {
    // Without scales there are no numbers, and nothing to write.
    if (data.length > 0) tensors.set(name, createTensor("f64", [data.length], data));
  };
  const addUnits = (name: string, { mixture, scales, places }: MixedUnits): void => {
    places.forEach((list, units) => {
      tensors.set(`${name}.places.${units}`, createTensor("i32", [list.length], list));
    });
    mixture.matrices.forEach((matrix, space) => {
      add(`${name}.matrices.${space}`, matrix);
    });
    mixture.inverses.forEach((inverse, space) => {
      add(`${name}.inverses.${space}`, inverse);
    });
    add(`${name}.scales`, scales);
  };
  const addMoments = (name: string, { mean, square }: Moments): void => {
    add(`${name}.mean`, mean);
    add(`${name}.square`, square);
  };
  add("objectives", start.objectives);
  add("start.signs", start.factors.signs);
  addUnits("start", { mixture: start.mixture, scales: start.factors.scales, places: [] });
  addUnits("current", learning.current);
  addUnits("before", learning.before);
  learning.ofMatrices.forEach((moments, space) => {
    addMoments(`moments.${space}`, moments);
  });
  addMoments("moments.scales", learning.ofScales);
  learning.scores.forEach(({ scores, moments }, units) => {
    add(`scores.${units}`, scores);
    addMoments(`scores.${units}`, moments);
  });
  return tensors;
}
