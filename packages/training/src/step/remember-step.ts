import type { Engine, Graph } from "@isthmus/graph";
import { createTrainingStep, type TrainingStepOptions } from "./create-training-step.ts";
import type { TrainingStep } from "./training-step.ts";

type Steps = Map<string, Promise<TrainingStep>>;

/** Steps by the engine and the graph they were made with, kept while both are in use. */
const REMEMBERED = new WeakMap<Engine, WeakMap<Graph, Steps>>();

/**
 * Makes a step as `createTrainingStep` does, or returns the step that was made with the same engine, graph
 * and options before: clients of a federation train the same network thousands of times, and making the step
 * takes longer than their few steps do. Steps of blends are made anew.
 */
export async function rememberStep(
  graph: Graph,
  engine: Engine,
  options: TrainingStepOptions,
): Promise<TrainingStep> {
  const { signal: _, proximal, ...decisive } = options;
  if (options.blend !== undefined) return createTrainingStep(graph, engine, options);
  const steps = stepsOf(graph, engine);
  const key = JSON.stringify({ ...decisive, mu: proximal?.mu });
  const remembered = steps.get(key);
  if (remembered !== undefined) return remembered;
  const made = createTrainingStep(graph, engine, options);
  steps.set(key, made);
  try {
    return await made;
  } catch (error) {
    // A failure, perhaps an abort, must not be remembered.
    steps.delete(key);
    throw error;
  }
}

function stepsOf(graph: Graph, engine: Engine): Steps {
  const ofEngine = REMEMBERED.get(engine) ?? new WeakMap<Graph, Steps>();
  REMEMBERED.set(engine, ofEngine);
  const steps: Steps = ofEngine.get(graph) ?? new Map();
  ofEngine.set(graph, steps);
  return steps;
}
