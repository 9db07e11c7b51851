import { access } from "node:fs/promises";
import { join } from "node:path";
import { bindNetwork } from "@isthmus/barrier";
import {
  at,
  digestFile,
  entry,
  InvariantError,
  resolveFields,
  saveCheckpoint,
  saveFile,
  sizeOf,
} from "@isthmus/core";
import type {
  AnyMeasurement,
  AnyPairsMeasurement,
  MeasurePairs,
  NetworkPair,
  PairNetwork,
  PairsOfNetworks,
} from "@isthmus/findings";
import { decodeGraph, encodeGraph, type Graph } from "@isthmus/graph";
import { createTask, gatherFiles, runMissing, type Task, type TaskFile, type UserFile } from "@isthmus/tasks";
import { describeGathered } from "../queue/gather-inputs.ts";
import type { QueueTasks } from "../queue/with-queue.ts";
import { groupPairs } from "./group-pairs.ts";
import { describePairsData, type NamedExamples, type PairsData } from "./pairs-data.ts";
import { type PairsParams, type PairsResult, pairsTask } from "./pairs-task.ts";

/** Pairs that one task measures, by their positions in the list. */
interface QueuedPairs {
  readonly task: Task;
  readonly pairs: readonly number[];
}

/** Parts of a measurement that all its tasks share. */
interface PairsPlan {
  readonly measurement: Pick<AnyMeasurement, "kind" | "version" | "attempt">;
  readonly measured: AnyPairsMeasurement;
  readonly data: PairsData;
  /** Contents of the file of feeds. */
  readonly feeds: string;
  /** Number of examples. */
  readonly size: number;
  /** Files that tasks find by paths in the description of the data. */
  readonly files: readonly UserFile[];
}

/**
 * Returns a function that measures pairs on the workers of a queue; undefined if the measurement has no
 * pairs. Each network is written once, with the tensors that the measurement uses, into the folder for tasks.
 */
export async function queuePairs(
  tasks: QueueTasks,
  { pairs: measured, ...measurement }: AnyMeasurement,
  examples: NamedExamples,
): Promise<MeasurePairs | undefined> {
  if (measured === undefined) return undefined;
  const gathered = gatherFiles({ isElsewhere: !tasks.executor.isShared });
  const { data, feeds } = await describePairsData(examples, gathered);
  const files = await describeGathered(gathered, tasks);
  const plan: PairsPlan = { measurement, measured, data, feeds, size: examples.data.size, files };
  return async (pairs, { signal, onProgress, onPair }) => {
    const planned = await planTasks(pairs, plan, tasks);
    const isTold = new Set<string>();
    const tell = async (key: string, result: object): Promise<void> => {
      if (isTold.has(key)) return;
      isTold.add(key);
      const { numbers } = result as PairsResult;
      for (const { task, pairs: positions } of planned) {
        if (task.key !== key) continue;
        for (const [i, position] of positions.entries()) await onPair(position, at(numbers, i, "pair"));
      }
    };
    // Pairs of networks that are named twice may be the same task.
    const byKey = new Map(planned.map(({ task }) => [task.key, task]));
    const { results, failures } = await runMissing([...byKey.values()], byKey.keys(), {
      folder: tasks.folder,
      executor: {
        ...tasks.executor,
        async run(assignment, control) {
          const result = await tasks.executor.run(assignment, control);
          if (assignment.task !== undefined) await tell(assignment.task.key, result);
          return result;
        },
      },
      signal,
      onProgress: ({ done }) => onProgress(done),
    });
    const [failure] = failures;
    if (failure !== undefined) throw failure.error;
    for (const [key, result] of results) await tell(key, result);
  };
}

async function planTasks(
  { graph, networks, pairs, options }: PairsOfNetworks,
  { measurement, measured, data, feeds, size, files: named }: PairsPlan,
  { folder, engine }: QueueTasks,
): Promise<readonly QueuedPairs[]> {
  const write = async (name: string, content: string | Uint8Array): Promise<TaskFile> => {
    const path = join(folder, name);
    await saveFile(path, content);
    return { path, digest: await digestFile(path) };
  };
  const shared = {
    feeds: [await write("feeds.json", feeds)],
    graph: [await write("graph.onnx", encodeForTasks(graph))],
    ...(named.length === 0 ? {} : { files: named }),
  };
  const used = [...new Set(pairs.flat())].sort((a, b) => a - b);
  const files = new Map<number, TaskFile>();
  for (const position of used)
    files.set(position, await writeNetwork(graph, at(networks, position, "network"), folder));
  const kind = pairsTask(measurement, measured);
  const resolved = resolveFields(measurement.attempt, measured.options, options);
  const work = weightsOf(graph) * size * measured.evaluations(resolved);
  return groupPairs(pairs, networks.length, work).map((group) => {
    const both = group.map((pair) => at(pairs, pair, "pair"));
    const here = [...new Set(both.flat())];
    const params: PairsParams = {
      data,
      options,
      pairs: both.map(([a, b]) => [here.indexOf(a), here.indexOf(b)] as const),
    };
    const inputs = { ...shared, networks: here.map((position) => entry(files, position, "network")) };
    return {
      task: createTask(kind, engine.name, { params, inputs, label: `${measurement.kind} ${labelOf(both)}` }),
      pairs: group,
    };
  });
}

/** Writes a network under the names and in the element types of the graph, unless its file exists. */
async function writeNetwork(
  graph: Graph,
  { network, fingerprint }: PairNetwork,
  folder: string,
): Promise<TaskFile> {
  const path = join(folder, `${fingerprint}.safetensors`);
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (!isThere) await saveCheckpoint(await bindNetwork(graph, network), path);
  return { path, digest: await digestFile(path) };
}

function weightsOf({ weights }: Graph): number {
  return [...weights.values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

function labelOf(pairs: readonly NetworkPair[]): string {
  const [a, b] = at(pairs, 0, "pair");
  const more = pairs.length === 1 ? "" : ` and ${pairs.length - 1} more`;
  return `pair ${a}-${b}${more}`;
}

/**
 * Encodes a graph for tasks that read it again on another machine.
 * @throws InvariantError if the bytes do not give the same graph when they are read
 */
function encodeForTasks(graph: Graph): Uint8Array {
  const bytes = encodeGraph(graph);
  const read = decodeGraph(bytes, { inputs: graph.inputs.map(({ name }) => name) }).graph;
  const summary = ({ inputs, weights }: Graph) =>
    JSON.stringify([
      inputs.map(({ name }) => name),
      [...weights].map(([name, { dtype, shape, role }]) => [name, dtype, shape, role]),
    ]);
  if (summary(read) === summary(graph)) return bytes;
  throw new InvariantError(`"${graph.name}" is the same graph once it was written and read`);
}
