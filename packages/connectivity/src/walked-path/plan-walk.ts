import { groupLayers, type LayerTensors } from "@isthmus/barrier";
import { at, type Checkpoint, entry, type Tensor, UnsupportedError } from "@isthmus/core";
import { bindWeights, type Graph, parameterNames } from "@isthmus/graph";
import type { FinishedStep, WeightConstraint } from "@isthmus/training";
import { stepTowardsInto } from "./step-towards.ts";

/** Plan of a walk: its layers, and the numbers of their moves and steps. */
export interface WalkPlan {
  /** Layers with their parameters, in the order in which data flow. */
  readonly layers: readonly LayerTensors[];
  /** Number of moves in which a layer reaches its target. */
  readonly moves: number;
  /** Number of steps of training before each move. */
  readonly trainSteps: number;
}

/** Counts the steps of training, in which there is a layer behind the one that walks. */
const trainingSteps = ({ layers, moves, trainSteps }: WalkPlan): number =>
  (layers.length - 1) * moves * trainSteps;

/**
 * Counts the steps of a whole walk: the last layer moves in every step, as there are no layers to train
 * behind it.
 */
export const stepsOf = (plan: WalkPlan): number => trainingSteps(plan) + plan.moves;

/**
 * Counts the steps of training of a walk, for other paths that should cost as much.
 * @throws UnsupportedError if the graph has no parameters, or one that is not f32
 */
export function countWalkSteps(graph: Graph, lengths: Pick<WalkPlan, "moves" | "trainSteps">): number {
  return stepsOf({ ...lengths, layers: layersThatWalk("count the steps of a walk", graph) });
}

/** Position of a walk after a step of training. */
export interface WalkPlace {
  /** Number of steps so far. */
  readonly step: number;
  /** Index of the layer that walks, from 0, in the order in which data flow. */
  readonly layer: number;
  /** Number of moves that this layer has made so far. */
  readonly move: number;
  /** Phase of the walk: the layer has just moved, or the layers behind it were trained since. */
  readonly phase: "moved" | "trained";
}

/** Returns the position of a walk after a step, counted from 1; undefined after the end of the walk. */
export function placeAfter(plan: WalkPlan, finished: number): WalkPlace | undefined {
  if (finished > stepsOf(plan)) return undefined;
  const last = finished - trainingSteps(plan);
  if (last > 0) return { step: finished, layer: plan.layers.length - 1, move: last, phase: "moved" };
  const made = Math.floor((finished - 1) / plan.trainSteps);
  const moved = finished % plan.trainSteps === 0;
  return {
    step: finished,
    layer: Math.floor(made / plan.moves),
    move: (made % plan.moves) + (moved ? 1 : 0),
    phase: moved ? "moved" : "trained",
  };
}

/** Lists the places where a path is measured: right after each move, and right before the next one. */
export function placesOf(plan: WalkPlan): WalkPlace[] {
  const { trainSteps } = plan;
  return Array.from({ length: stepsOf(plan) - 1 }, (_, index) => index + 1)
    .map((step) => placeAfter(plan, step) as WalkPlace)
    .filter(({ step, phase }) => phase === "moved" || step % trainSteps === trainSteps - 1);
}

/**
 * Lists the layers that walk, with their parameters; groups without parameters, such as running statistics
 * alone, do not walk.
 * @throws UnsupportedError if the graph has no parameters, or one that is not f32
 */
export function layersThatWalk(attempt: string, graph: Graph): readonly LayerTensors[] {
  const parameters = new Set(parameterNames(graph));
  for (const name of parameters) {
    const { dtype } = entry(graph.weights, name, "weight");
    if (dtype === "f32") continue;
    throw new UnsupportedError(
      `Cannot ${attempt} as parameters must be f32: "${name}" is ${dtype}; convert the networks and their graph first`,
      { feature: dtype },
    );
  }
  return groupLayers(graph)
    .map(({ name, tensors }) => ({ name, tensors: tensors.filter((tensor) => parameters.has(tensor)) }))
    .filter(({ tensors }) => tensors.length > 0);
}

/**
 * Creates the rule that moves layers during a training: layers that have arrived are set to the target; the
 * layer that walks is held, and moved after every `trainSteps` steps; the layers behind it are trained.
 *
 * The rule depends only on the number of the step and on the weights before and after the step, so that a
 * training that resumes ends with the same bytes.
 */
export async function createWalk(
  graph: Graph,
  target: Checkpoint,
  plan: WalkPlan,
): Promise<WeightConstraint> {
  const goals = await bindWeights(graph, target);
  const { layers, moves, trainSteps } = plan;
  return {
    description: { walk: layers.map(({ name }) => name), moves, trainSteps },
    applyInPlace({ finished }: FinishedStep, before, after) {
      const place = placeAfter(plan, finished);
      layers.slice(0, place?.layer).forEach(({ tensors }) => {
        for (const name of tensors) floatsOf(after, name).set(floatsOf(goals, name));
      });
      if (place === undefined) return;
      for (const name of at(layers, place.layer, "layer").tensors) {
        const [held, out] = [floatsOf(before, name), floatsOf(after, name)];
        if (place.phase === "trained") out.set(held);
        else stepTowardsInto(held, floatsOf(goals, name), 1 / (moves - place.move + 1), out);
      }
    },
  };
}

const floatsOf = (tensors: ReadonlyMap<string, Tensor>, name: string): Float32Array =>
  entry(tensors, name, "parameter").data as Float32Array;
