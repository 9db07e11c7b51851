import { DTYPES, entry, MismatchError, matchesAny, OutOfRangeError } from "@isthmus/core";
import type { BlendDecay, BlendedPoint, BlendPoint } from "../blend/blend-point.ts";
import { blendWeights } from "../blend/blend-weights.ts";
import type { TrainingMode } from "../mode/to-training-mode.ts";

/** A graph in training mode, and the weights by which it is differentiated. */
export interface StepTarget extends TrainingMode {
  /** All trained weights, by their names in this graph. */
  readonly trained: ReadonlyMap<string, TrainedWeight>;
  /** Points of the blend that the graph computes its weights as; missing without a blend. */
  readonly points?: readonly BlendedPoint[];
}

/** A weight that is trained. */
export interface TrainedWeight {
  /** Its name in the network. */
  readonly name: string;
  /** Data input for the point's coefficient, by which a decay of the blended weight is multiplied. */
  readonly share?: string;
}

/** Options of {@link chooseTarget}. */
interface TargetOptions {
  /** Names of parameters that are not trained; `*` matches any characters. */
  readonly freeze: readonly string[];
  /** Points of a blend; undefined to train the network itself. */
  readonly points: readonly BlendPoint[] | undefined;
  /** Weights that weight decay acts on in a blend. */
  readonly decay: BlendDecay;
}

/**
 * Chooses the weights that a step trains: parameters of the network, or the same parameters at each trained
 * point of a blend.
 * @throws MismatchError if there is nothing to train
 * @throws OutOfRangeError if a pattern of `freeze` matches no parameter, or no point of a blend is trained
 */
export function chooseTarget(mode: TrainingMode, { freeze, points, decay }: TargetOptions): StepTarget {
  const parameters = floatingParameters(mode);
  const trained = trainedParameters(mode, parameters, freeze);
  if (points === undefined) return { ...mode, trained: new Map(trained.map((name) => [name, { name }])) };
  const blended = blendWeights(mode.graph, { points, weights: parameters });
  const entries = blended.points
    .filter((point) => point.trained)
    .flatMap(({ weights, coefficient }) => {
      const share = decay === "blend" ? { share: coefficient } : {};
      return trained.map((name) => [entry(weights, name, "blended weight"), { name, ...share }] as const);
    });
  return { ...blended, masks: mode.masks, statistics: new Map(), trained: new Map(entries) };
}

/** Returns the floating-point parameters in the graph's order. */
function floatingParameters({ graph, statistics }: TrainingMode): string[] {
  return [...graph.weights]
    .filter(([name, { role, dtype }]) => role === "parameter" && DTYPES[dtype].float && !statistics.has(name))
    .map(([name]) => name);
}

/** Returns the parameters that are not frozen. */
function trainedParameters(
  { graph }: TrainingMode,
  parameters: readonly string[],
  freeze: readonly string[],
): string[] {
  for (const pattern of freeze) {
    if (parameters.some((name) => matchesAny([pattern], name))) continue;
    throw new OutOfRangeError(
      `Cannot freeze "${pattern}" as it must match a floating-point parameter of graph "${graph.name}": none of ${parameters.length} does`,
    );
  }
  const trained = parameters.filter((name) => !matchesAny(freeze, name));
  if (trained.length > 0) return trained;
  throw new MismatchError(
    `Cannot train graph "${graph.name}" as it needs at least one floating-point parameter that is not frozen: of ${graph.weights.size} weights, ${parameters.length} are floating-point parameters, and ${parameters.length} of these are frozen`,
    { parameters: [...graph.weights.keys()] },
  );
}
