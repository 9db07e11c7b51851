import {
  at,
  type Checkpoint,
  createCheckpoint,
  createRandom,
  createTensor,
  drawDirichlet,
  MismatchError,
  OutOfRangeError,
  resolveFields,
  type Tensor,
} from "@isthmus/core";
import { type Architecture, bindWeights, type DataSet } from "@isthmus/graph";
import {
  chooseBatch,
  type LocalTrainingOptions,
  type TrainOptions,
  type TrainResult,
  train,
  trainBlend,
} from "@isthmus/training";
import { SHARES_FIELDS, type SharesChoice } from "./pareto-options.ts";
import { attachTasks, TASK_LOSS, TASK_SHARES } from "./task-graph.ts";

/** Options that both ways to train for several tasks share. */
export interface TaskTrainingOptions
  extends Omit<
    TrainOptions,
    "loss" | "onEpoch" | "collect" | "evaluationData" | "controlVariates" | keyof LocalTrainingOptions
  > {
  /** Names of the data's arrays with the labels of each task, in the order of the graph's outputs. */
  readonly tasks: readonly string[];
}

/** Options of {@link trainPareto}. */
export interface TrainParetoOptions extends TaskTrainingOptions, SharesChoice {}

/** Trained networks, one for each task. */
export interface TrainedPareto {
  /** Networks in the order of the tasks; in memory. */
  readonly networks: readonly Checkpoint[];
  /** Record of the training: losses and times. */
  readonly result: TrainResult;
}

const ATTEMPT = "train for several tasks";

/**
 * Trains one network for each task in one run, such that each network between them, blended by some shares,
 * is good for the tasks in these shares: every step draws shares from a Dirichlet distribution, blends the
 * networks by them, and lowers the tasks' losses in the same shares.
 *
 * Running statistics of batch norms are not trained: measure them again on the networks that are used.
 * @param starts - start of the network of each task
 * @throws InputError if the graph has fewer outputs than there are tasks, or the data lack labels of a task
 * @throws MismatchError if there is not a start for each task, or one does not fit the graph
 * @throws OutOfRangeError if an option is out of its range
 * @see Dimitriadis, Frossard and Fleuret, Pareto manifold learning, 2023
 */
export async function trainPareto(
  { graph, engine }: Architecture,
  starts: readonly Checkpoint[],
  data: DataSet,
  options: TrainParetoOptions,
): Promise<TrainedPareto> {
  const { concentration: chosen, tasks, ...others } = options;
  const { concentration } = resolveFields(ATTEMPT, SHARES_FIELDS, { concentration: chosen });
  const batch = chooseBatch(graph, others.batch, { size: data.size });
  const attached = await attachTasks(ATTEMPT, { graph, engine, data }, { tasks, batch });
  if (starts.length !== tasks.length) {
    throw new MismatchError(
      `Cannot ${ATTEMPT} as there must be a network to start from for each of ${tasks.length} tasks: there are ${starts.length}`,
      { parameters: [] },
    );
  }
  const start = new Map<string, Checkpoint>();
  for (const [i, task] of tasks.entries()) {
    const shares = tasks.map((_, k) => (k === i ? 1 : 0));
    start.set(task, await withShares(graph, at(starts, i, "network"), shares));
  }
  const alphas = tasks.map(() => concentration);
  const { seed } = options;
  const blend = {
    points: tasks.map((name) => ({ name, trained: true })),
    start,
    description: { tasks: tasks.join(", "), concentration },
    at: (step: number) => {
      const shares = drawDirichlet(alphas, createRandom(seed, `shares of step ${step}`));
      return { coefficients: [...shares] };
    },
  };
  const { points, result } = await trainBlend(
    { graph: attached.graph, engine },
    blend,
    data,
    taskOptions(others, { batch, tasks, examples: attached.examples }),
  );
  const networks = tasks.map((task) => withoutShares(points.get(task), task));
  return { networks, result };
}

/**
 * Trains one network on the weighted sum of the losses of several tasks (linear scalarisation).
 * @param shares - weights of the tasks
 * @throws InputError, MismatchError, OutOfRangeError as {@link trainPareto}
 */
export async function trainScalarised(
  { graph, engine }: Architecture,
  start: Checkpoint,
  data: DataSet,
  { shares, tasks, ...others }: TaskTrainingOptions & { readonly shares: readonly number[] },
): Promise<{ readonly network: Checkpoint; readonly result: TrainResult }> {
  const batch = chooseBatch(graph, others.batch, { size: data.size });
  const attached = await attachTasks(ATTEMPT, { graph, engine, data }, { tasks, batch });
  if (shares.length !== tasks.length || !shares.every((share) => share >= 0)) {
    throw new OutOfRangeError(
      `Cannot ${ATTEMPT} as there must be a share of at least 0 for each of ${tasks.length} tasks: got ${shares.join(", ")}`,
    );
  }
  const { weights, result } = await train(
    { graph: attached.graph, engine },
    await withShares(graph, start, shares),
    data,
    taskOptions(others, { batch, tasks, examples: attached.examples }),
  );
  return { network: withoutShares(weights, "network"), result };
}

function taskOptions(
  { freeze = [], ...others }: Omit<TaskTrainingOptions, "tasks">,
  {
    batch,
    tasks,
    examples,
  }: { readonly batch: number; readonly tasks: readonly string[]; readonly examples: string },
): TrainOptions {
  return {
    ...others,
    batch,
    freeze: [...freeze, TASK_SHARES],
    loss: { kind: "output", output: TASK_LOSS, examples, targets: at(tasks, 0, "task") },
  };
}

async function withShares(
  graph: Architecture["graph"],
  network: Checkpoint,
  shares: readonly number[],
): Promise<Checkpoint> {
  const tensors = new Map<string, Tensor>(await bindWeights(graph, network));
  tensors.set(TASK_SHARES, createTensor("f32", [shares.length], Float32Array.from(shares)));
  return createCheckpoint(tensors, {}, network.source);
}

function withoutShares(network: Checkpoint | undefined, task: string): Checkpoint {
  if (network === undefined)
    throw new MismatchError(`Cannot find the network of "${task}"`, { parameters: [] });
  const tensors = new Map(network.tensors);
  tensors.delete(TASK_SHARES);
  return { ...network, tensors, source: `network of ${task}` };
}
