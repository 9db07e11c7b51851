import { at, entry } from "@isthmus/core";
import {
  type DataSet,
  fingerprintData,
  fingerprintGraph,
  fingerprintWeights,
  lossOf,
  scoreBy,
} from "@isthmus/graph";
import {
  createTask,
  findMissing,
  type MissingTasks,
  type RunMissingOptions,
  type RunMissingResult,
  runMissing,
  type Task,
  type TaskStore,
} from "@isthmus/tasks";
import { chooseTrainOptions } from "@isthmus/training";
import { parseNetwork } from "@isthmus/zoo";
import type { SimulationDescription } from "../description/simulation-description.ts";
import type { FederationRun, PartitionedClient } from "../result/federation-run.ts";
import type { SimulatedPartition, SimulationResult } from "../result/simulation-result.ts";
import { checkFederation } from "./check-federation.ts";
import { federationTask } from "./federation-task.ts";
import { listsOf, type UnfoldedFederation, unfoldSimulation } from "./unfold-simulation.ts";

/** Engine and data source with which a simulation is planned. */
export interface PlanSimulationPorts {
  /** Name of the engine that tasks will run on. */
  readonly engine: string;
  /** Opens examples by name. */
  openData(name: string): Promise<DataSet>;
}

/** Options of {@link runSimulation}. */
export interface RunSimulationOptions extends PlanSimulationPorts, RunMissingOptions {}

/** Outcome of {@link runSimulation}. */
export interface RunSimulationResult extends Omit<RunMissingResult, "results" | "blocked"> {
  /** Result of the simulation; missing if a task failed. */
  readonly simulation?: SimulationResult;
}

/** All work of a simulation: one task for each federation. */
export interface SimulationPlan {
  /** Tasks of the simulation, each once, even if two names describe the same federation. */
  readonly tasks: readonly Task[];
  /** Federations in the order of partitions, strategies, attacks and seeds, each with its task. */
  readonly federations: readonly (UnfoldedFederation & { readonly task: Task })[];
}

/**
 * Simulates the federations of a description that have no result yet, and gathers the results of all. After
 * an interruption it continues where it stopped; the result is the same, and does not depend on the number of
 * tasks at once.
 * @throws InputError if the description contradicts itself, data do not fit, or another process uses the
 *   folder
 * @throws DOMException named AbortError if `signal` is aborted; finished work is kept
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openDataSet } from "@isthmus/data";
 * import { createOnnxRuntimeEngine } from "@isthmus/engine";
 * import { runSimulation, SIMULATION_TASKS } from "@isthmus/simulation";
 * import { runTask, type TaskExecutor } from "@isthmus/tasks";
 *
 * const data = { data: "mnist:test@300", evaluate: "mnist:test@100" };
 * const federation = { net: "mlp:8", ...data, clients: 5, rounds: 2 };
 * const strategies = { mean: {}, median: { rule: "coordinate-median" } };
 * const engine = createOnnxRuntimeEngine();
 * const openData = (name: string) => openDataSet(name);
 * const executor: TaskExecutor = {
 *   capacity: 1,
 *   run: (task, control) => runTask(SIMULATION_TASKS, task, { engine, openData }, control),
 * };
 * const options = { engine: engine.name, openData, folder: "two-rules", executor };
 * const { simulation } = await runSimulation({ title: "Two rules", federation, strategies }, options);
 * assert.deepEqual(simulation?.runs.map(({ strategy }) => strategy), ["mean", "median"]);
 * ```
 */
export async function runSimulation(
  description: SimulationDescription,
  { folder, executor, signal, onProgress, ...ports }: RunSimulationOptions,
): Promise<RunSimulationResult> {
  const plan = await planSimulation(description, ports);
  const options = { folder, executor, signal, onProgress };
  // No federation builds on another, so none is ever blocked.
  const { results, blocked: _, ...counts } = await runMissing(plan.tasks, keysOf(plan), options);
  if (counts.failures.length > 0) return counts;
  return { simulation: collect(description, plan, { results, engine: ports.engine }), ...counts };
}

/** Lists the federations of a plan that are still to be simulated. */
export function listMissingFederations(
  plan: SimulationPlan,
  store: Pick<TaskStore, "read">,
): Promise<MissingTasks> {
  return findMissing(plan.tasks, keysOf(plan), store);
}

const keysOf = ({ tasks }: SimulationPlan): readonly string[] => tasks.map(({ key }) => key);

/**
 * Plans a simulation: turns every federation into a task whose key covers everything that its result depends
 * on.
 * @throws InputError if the description contradicts itself, names something unknown, or data do not fit the
 *   loss
 * @throws UsageError if networks cannot be trained by the loss
 */
export async function planSimulation(
  description: SimulationDescription,
  { engine, openData }: PlanSimulationPorts,
): Promise<SimulationPlan> {
  const { net, data: dataName, evaluate, loss } = description.federation;
  const [data, evaluationData] = [await openData(dataName), await openData(evaluate)];
  const { graph, initialize } = parseNetwork(net, data);
  const scored = scoreBy(graph, loss);
  chooseTrainOptions({ graph: scored, data });
  lossOf(scored, evaluationData, "simulate a federation");
  const digests = {
    data: `${data.size} ${fingerprintData(data)}`,
    evaluate: `${evaluationData.size} ${fingerprintData(evaluationData)}`,
    graph: fingerprintGraph(graph),
  };
  const network = initialize(0);
  const weights = new Map<number, string>();
  const federations: (UnfoldedFederation & { readonly task: Task })[] = [];
  const tasks = new Map<string, Task>();
  for (const unfolded of unfoldSimulation(description)) {
    const { federation, cell } = unfolded;
    const { partition, strategy, attack, seed } = cell;
    checkFederation(graph, network, federation);
    const ofSeed = weights.get(seed) ?? (await fingerprintWeights(graph, initialize(seed)));
    weights.set(seed, ofSeed);
    const planned = createTask(federationTask, engine, {
      params: { federation, digests: { ...digests, weights: ofSeed } },
      inputs: {},
      label: `${strategy}, attack ${attack}, ${partition}, seed ${seed}`,
    });
    // Two names may describe the same federation.
    const task = tasks.get(planned.key) ?? planned;
    tasks.set(task.key, task);
    federations.push({ ...unfolded, task });
  }
  return { tasks: [...tasks.values()], federations };
}

function collect(
  { title, description = "", federation, ...lists }: SimulationDescription,
  { federations }: SimulationPlan,
  { results, engine }: { readonly results: ReadonlyMap<string, object>; readonly engine: string },
): SimulationResult {
  const divisions = new Map<string, SimulatedPartition>();
  const runs = federations.map(({ cell, task }) => {
    const {
      kind: _,
      partition: clients,
      ...run
    } = entry(results, task.key, "result") as FederationRun & {
      readonly kind: string;
      readonly partition: readonly PartitionedClient[];
    };
    const { partition, seed } = cell;
    divisions.set(JSON.stringify([partition, seed]), { partition, seed, clients });
    return { ...cell, ...run };
  });
  at(runs, 0, "run");
  return {
    kind: "simulation",
    title,
    description,
    federation,
    ...listsOf(lists),
    seeds: [...new Set(runs.map(({ seed }) => seed))],
    runs,
    divisions: [...divisions.values()],
    engine,
  };
}
