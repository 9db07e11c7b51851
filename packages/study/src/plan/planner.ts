import { viewBytes } from "@isthmus/core";
import {
  assertDataFits,
  type DataSet,
  fingerprintGraph,
  fingerprintWeights,
  type Graph,
} from "@isthmus/graph";
import { createHash } from "@isthmus/platform";
import { createTask, type Task, type TaskInputs } from "@isthmus/tasks";
import { type Network, parseNetwork } from "@isthmus/zoo";
import type { StudyTaskKind, TaskData, TaskNetwork } from "../tasks/task-kind.ts";

/** Engine and examples that a study is planned with. */
export interface PlanPorts {
  /** Name of the engine that tasks will run on. */
  readonly engine: string;
  /**
   * Opens examples by name.
   * @param inputs - names of a graph's inputs, which arrays of the data may have
   */
  openData(name: string, inputs?: readonly string[]): Promise<DataSet>;
}

/** Properties of a kind of task that the keys of its tasks depend on. */
export type KeyedKind = Pick<StudyTaskKind, "name" | "version">;

interface OpenData {
  readonly data: DataSet;
  readonly description: TaskData;
}

/** A network of the zoo with random weights, built for the examples that it is to be trained on. */
export interface BuiltNetwork {
  /** Graph of the network, with a function that makes its random weights. */
  readonly network: Network;
  /** Examples that the network is to be trained on. */
  readonly data: DataSet;
  /** Parameters of a task that name the network and the examples. */
  readonly params: { readonly network: TaskNetwork; readonly data: TaskData };
}

/** Collects the tasks of a study, each once and after the tasks it depends on. */
export class Planner {
  /** Seed of all random choices of measurements. */
  readonly seed: number;
  readonly #ports: PlanPorts;
  readonly #tasks = new Map<string, Task>();
  readonly #data = new Map<string, Promise<OpenData>>();

  constructor(ports: PlanPorts, seed: number) {
    this.#ports = ports;
    this.seed = seed;
  }

  get tasks(): readonly Task[] {
    return [...this.#tasks.values()];
  }

  /** Makes a task, or returns the existing task of the same key. */
  add<P extends object>(
    kind: StudyTaskKind<P> | KeyedKind,
    parts: { readonly params: P; readonly inputs: TaskInputs; readonly label: string },
  ): Task {
    const task = createTask(kind, this.#ports.engine, parts);
    const existing = this.#tasks.get(task.key);
    if (existing !== undefined) return existing;
    this.#tasks.set(task.key, task);
    return task;
  }

  /**
   * Opens examples to train on.
   * @param inputs - names of a graph's inputs; none for a network that is built for the data
   */
  open(name: string, inputs: readonly string[] = []): Promise<OpenData> {
    const key = JSON.stringify([name, ...inputs]);
    let open = this.#data.get(key);
    if (open === undefined) {
      open = this.#ports
        .openData(name, inputs)
        .then((data) => ({ data, description: { name, digest: digestData(data) } }));
      this.#data.set(key, open);
    }
    return open;
  }

  /**
   * Builds a network of the zoo for examples.
   * @param seed - seed of its random weights
   * @throws InputError if it cannot be built for them
   */
  async build(net: string, name: string, seed: number): Promise<BuiltNetwork> {
    const { data, description } = await this.open(name);
    const network = parseNetwork(net, data);
    return { network, data, params: { network: await describeNetwork(network, seed), data: description } };
  }

  /**
   * Opens examples that networks are to be evaluated on, or matched by.
   * @throws InputError if they do not fit one of the architectures
   */
  async openFor(
    name: string,
    { architectures, batchSize }: { readonly architectures: ReadonlySet<Graph>; readonly batchSize: number },
  ): Promise<OpenData> {
    const inputs = [...architectures].flatMap((graph) => graph.inputs.map((input) => input.name));
    const open = await this.open(name, [...new Set(inputs)]);
    for (const graph of architectures) assertDataFits("measure", graph, open.data, batchSize);
    return open;
  }
}

/** Number of examples that are read at once. */
const CHUNK = 1000;
/** Number of hexadecimal digits of SHA-256 that make the digest. */
const DIGEST_LENGTH = 32;

/** Computes a digest of all examples of a data set, as networks are fed them, and of their labels. */
function digestData(data: DataSet): string {
  const hash = createHash("sha256").update(JSON.stringify([data.size, data.exampleShape, data.classes]));
  for (let begin = 0; begin < data.size; begin += CHUNK) {
    const { inputs, features, labels } = data.read(begin, Math.min(begin + CHUNK, data.size));
    hash.update(viewBytes(inputs.data));
    for (const [name, { data: values }] of features ?? []) hash.update(name).update(viewBytes(values));
    hash.update(viewBytes(labels));
  }
  return hash.digest("hex").slice(0, DIGEST_LENGTH);
}

/**
 * Describes a network of the zoo and its random weights, so that a key changes when the zoo builds or
 * initialises it in another way.
 */
async function describeNetwork({ spec, graph, initialize }: Network, seed: number): Promise<TaskNetwork> {
  return {
    net: spec,
    graph: fingerprintGraph(graph),
    weights: await fingerprintWeights(graph, initialize(seed)),
  };
}
