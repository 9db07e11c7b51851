import { assertDataFits, type DataSet, type Graph } from "@isthmus/graph";
import type { TaskData, TaskKind } from "../tasks/task-kind.ts";
import { digestData } from "./digest-data.ts";
import { createTask, type Task, type TaskInputs } from "./task.ts";

/** What a study is planned with. */
export interface PlanPorts {
  /** Name of the engine that tasks will run on. */
  readonly engine: string;
  /** Opens examples by name. */
  openData(name: string): Promise<DataSet>;
}

interface OpenData {
  readonly data: DataSet;
  readonly told: TaskData;
}

/** Collects the tasks of a study, each once, those it depends on first. */
export class Planner {
  /** Seed of whatever measurements choose at random. */
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

  /** Makes a task, or returns the one that is the same. */
  add<P extends object>(
    kind: TaskKind<P>,
    parts: { readonly params: P; readonly inputs: TaskInputs; readonly label: string },
  ): Task {
    const task = createTask(kind, this.#ports.engine, parts);
    const known = this.#tasks.get(task.key);
    if (known !== undefined) return known;
    this.#tasks.set(task.key, task);
    return task;
  }

  /** Opens examples to train on. */
  open(name: string): Promise<OpenData> {
    let open = this.#data.get(name);
    if (open === undefined) {
      open = this.#ports.openData(name).then((data) => ({ data, told: { name, digest: digestData(data) } }));
      this.#data.set(name, open);
    }
    return open;
  }

  /**
   * Opens examples that networks are to be evaluated on.
   * @throws InputError if they do not fit one of the architectures
   */
  async openFor(
    name: string,
    { architectures, batchSize }: { readonly architectures: ReadonlySet<Graph>; readonly batchSize: number },
  ): Promise<TaskData> {
    const { data, told } = await this.open(name);
    for (const graph of architectures) assertDataFits("measure", graph, data, batchSize);
    return told;
  }
}
