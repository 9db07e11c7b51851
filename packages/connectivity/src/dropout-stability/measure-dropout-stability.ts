import { bindNetwork, type CorrectedEvaluator, createCorrectedEvaluator } from "@isthmus/barrier";
import {
  at,
  type Checkpoint,
  type FieldsOf,
  listField,
  meanOf,
  namesField,
  numberForm,
  resolveFields,
} from "@isthmus/core";
import { type DataSet, lossFields, scoreBy } from "@isthmus/graph";
import type { SymmetricArchitecture } from "@isthmus/symmetry";
import type { HiddenLayer } from "@isthmus/symmetry/layout";
import { type Journal, openJournal } from "@isthmus/tasks";
import { describeDropout } from "./describe-dropout.ts";
import { dropLayerByLayer, trialSeeds } from "./drop-layer-by-layer.ts";
import { dropUnits } from "./drop-units.ts";
import {
  DROPOUT_FIELDS,
  type DropoutChoice,
  type DropoutProgress,
  type DropoutRun,
} from "./dropout-options.ts";
import type { DropoutShare, DropoutStabilityResult, DropoutTrial, DroppedLayers } from "./dropout-result.ts";
import { droppableLayers } from "./droppable-layers.ts";

/** Options of the measurement of dropout stability that are plain data. */
export interface DropoutStabilityChoice extends DropoutChoice {
  /** Shares of the units of each layer that stay, each above 0 and at most 1. @defaultValue [0.5] */
  readonly shares?: readonly number[];
  /** Names of layers that lose units, in which `*` matches any characters. @defaultValue all */
  readonly layers?: readonly string[] | undefined;
}

/** Fields of {@link DropoutStabilityChoice}. */
export const DROPOUT_STABILITY_FIELDS: FieldsOf<DropoutStabilityChoice> = {
  shares: listField<number>(numberForm({ above: 0, most: 1 }), {
    default: [0.5],
    help: "shares of the units of each layer that stay, such as 0.25,0.5,0.75",
  }),
  ...DROPOUT_FIELDS,
  layers: namesField({ help: "layers that lose units, for example conv*,fc1 (default: all)" }),
};

/** Options of `measureDropoutStability`. */
export interface MeasureDropoutStabilityOptions extends DropoutStabilityChoice, DropoutRun {
  /** File for the numbers of finished trials, from which a stopped measurement goes on. @defaultValue none */
  readonly journalPath?: string | undefined;
  /** Callback for the progress, called after every evaluated network. @defaultValue none */
  readonly onProgress?: ((progress: DropoutProgress) => void) | undefined;
}

const ATTEMPT = "measure dropout stability";

type Run = Omit<MeasureDropoutStabilityOptions, keyof DropoutStabilityChoice>;
type Resolved = Required<MeasureDropoutStabilityOptions>;

const RUN_DEFAULTS: Required<Run> = {
  loss: undefined,
  statisticsData: undefined,
  signal: undefined,
  journalPath: undefined,
  onProgress: undefined,
};

/**
 * Measures how much the loss of a network rises when only a share of the hidden units stays: in the last
 * layer, in the last two, and so on to all of them.
 *
 * A network that does as well without half of the units of these layers is dropout stable, and two
 * dropout-stable networks can be joined by a path on which the loss stays as low, see `buildDropoutPath`.
 * Units are taken out by setting the weights that read them to 0; the weights that read the other units are
 * multiplied by a factor. Every plain permutation symmetry is a layer: neurons, channels with all that
 * follows them, whole attention heads. The result for a random choice is invariant to permutations and to
 * scales of units; the result for the largest units is invariant to scales only if one number scales a whole
 * layer.
 *
 * Kuditipudi et al., Explaining landscape connectivity of low-cost solutions for multilayer nets (2019),
 * definition 1, whose factor is any number for each layer; Shevchenko and Mondelli, Landscape connectivity
 * and dropout stability of SGD solutions (2020), whose factor is the inverse share.
 * @throws MismatchError if the checkpoint does not fit the graph
 * @throws InputError if the data do not fit the graph, or it has no hidden units that can be taken out
 * @throws OutOfRangeError if an option is out of range, or `layers` matches no layer
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, discoverSymmetries, measureDropoutStability } from "isthmus";
 * import { openArchitecture } from "isthmus";
 * import { openCheckpoint, openDataSet } from "isthmus";
 *
 * const architecture = await openArchitecture("examples/mnist-mlp/graph.onnx", createOnnxRuntimeEngine());
 * const symmetries = await discoverSymmetries(architecture);
 * const network = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
 * const options = { shares: [1, 0.5], trials: 1 };
 * const data = await openDataSet("mnist:test@200");
 * const { shares } = await measureDropoutStability({ ...architecture, symmetries }, network, data, options);
 * const [whole, half] = shares;
 * assert(whole && half && Math.abs(whole.rise.mean) < 1e-6 && half.rise.mean > 0); // of all, of half
 * await network.close();
 * ```
 */
export async function measureDropoutStability(
  unscored: SymmetricArchitecture,
  network: Checkpoint,
  data: DataSet,
  options: MeasureDropoutStabilityOptions = {},
): Promise<DropoutStabilityResult> {
  const resolved = resolveFields(ATTEMPT, DROPOUT_STABILITY_FIELDS, options, RUN_DEFAULTS);
  const { choice, rescale, statistics, seed } = resolved;
  const architecture = { ...unscored, graph: scoreBy(unscored.graph, resolved.loss) };
  const { graph, engine } = architecture;
  const { layers, left } = droppableLayers(ATTEMPT, architecture, resolved.layers);
  const evaluator = await createCorrectedEvaluator(
    { graph, engine, data },
    { ...resolved, attempt: ATTEMPT, allowNonFinite: true },
  );
  try {
    const read = await bindNetwork(graph, network);
    const journal = await openJournal(
      resolved.journalPath,
      resolved.journalPath === undefined
        ? {}
        : await describeDropout({ architecture, network: read, data }, { ...resolved, layers }),
    );
    const { loss, error } = await evaluator.evaluate(read, undefined);
    const shares = await measureShares({ network: read, layers, loss, evaluator, journal }, resolved);
    return {
      kind: "dropout-stability",
      ...lossFields(graph, data),
      loss,
      error,
      layers: layers.map(({ name, size }) => ({ name, units: size })),
      left: Object.fromEntries(left),
      shares,
      choice,
      rescale,
      statistics,
      examples: data.size,
      data: data.name,
      network: network.source,
      seed,
      engine: engine.name,
    };
  } finally {
    await evaluator.release();
  }
}

/** Network with the layers that lose units. */
interface Subject {
  readonly network: Checkpoint;
  readonly layers: readonly HiddenLayer[];
  /** Loss of the network with all units. */
  readonly loss: number;
  readonly evaluator: CorrectedEvaluator;
  readonly journal: Journal;
}

async function measureShares(
  subject: Subject,
  { shares, trials, onProgress, ...options }: Resolved,
): Promise<readonly DropoutShare[]> {
  // The units with the largest weights are the same for every seed.
  const seeds = options.choice === "largest" ? [options.seed] : trialSeeds(options.seed, trials);
  const total = shares.length * seeds.length * subject.layers.length;
  let completed = 0;
  const results: DropoutShare[] = [];
  for (const share of shares) {
    const measured: DropoutTrial[] = [];
    for (const seed of seeds) {
      const onStep = () => onProgress?.({ done: ++completed / total, completed, total });
      measured.push(await measureTrial(subject, { ...options, share, seed, onStep }));
    }
    results.push({ share, trials: measured, rise: summarize(measured.map(({ rise }) => rise)) });
  }
  return results;
}

type TrialOptions = Pick<Resolved, "choice" | "rescale" | "signal"> & {
  readonly share: number;
  readonly seed: number;
  readonly onStep: () => void;
};

/** Count of the numbers in a journal for each step of a trial: factor, loss and error. */
const STEP_NUMBERS = 3;

/** Measures a trial, unless the journal has its numbers. */
async function measureTrial(subject: Subject, options: TrialOptions): Promise<DropoutTrial> {
  const { layers, loss, journal } = subject;
  const { share, seed, signal, onStep } = options;
  signal?.throwIfAborted();
  const key = `share-${share}-seed-${seed}`;
  const isFinished = journal.has(key);
  const numbers = await journal.get(key, () => takeUnitsOut(subject, options));
  const steps = layers.toReversed().map(({ name, size }, index): DroppedLayers => {
    const [factor, changed, error] = numbers.slice(STEP_NUMBERS * index, STEP_NUMBERS * (index + 1));
    if (isFinished) onStep();
    return {
      from: name,
      units: unitsThatStay(share, size),
      factor: factor as number,
      loss: changed as number,
      error: error as number,
    };
  });
  return { steps, rise: Math.max(...steps.map((step) => step.loss)) - loss };
}

const unitsThatStay = (share: number, size: number): number => Math.max(1, Math.round(share * size));

/** Takes units out of the last layer, of the last two, and so on. */
async function takeUnitsOut(
  { network, layers, evaluator }: Subject,
  { share, choice, rescale, seed, signal, onStep }: TrialOptions,
): Promise<readonly number[]> {
  const count = (size: number) => unitsThatStay(share, size);
  const remainders = await dropLayerByLayer(network, layers, { count, choice, rescale, seed, evaluator });
  const numbers: number[] = [];
  for (let first = layers.length - 1; first >= 0; first--) {
    signal?.throwIfAborted();
    const { factor } = at(remainders, first, "layer");
    const { loss, error } = await evaluator.evaluate(dropUnits(network, remainders.slice(first)), []);
    numbers.push(factor, loss, error);
    onStep();
  }
  return numbers;
}

function summarize(rises: readonly number[]): DropoutShare["rise"] {
  return { mean: meanOf(rises), min: Math.min(...rises), max: Math.max(...rises) };
}
