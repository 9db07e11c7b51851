import { type Checkpoint, saveCheckpoint } from "@isthmus/core";
import type { Resuming } from "@isthmus/findings";
import { takesParams } from "@isthmus/forms";
import type { Architecture, BoundNetwork } from "@isthmus/graph";
import { join, rm } from "@isthmus/platform";
import type { TaskContext, TaskPaths } from "@isthmus/tasks";
import type * as z from "zod";
import { openNetworks } from "../tasks/open-networks.ts";
import type { StudyPorts, StudyTaskKind } from "../tasks/task-kind.ts";

/** File of the weights, for tasks that make one network. */
export const WEIGHTS_FILE = "weights.safetensors";

/** Networks of one architecture that a task starts from, opened. */
export interface OpenedStarts {
  /** Graph of the networks, with the engine that runs it. */
  readonly architecture: Architecture;
  /** Names of the graph's inputs, which arrays of data may have. */
  readonly inputNames: readonly string[];
  /** Networks in the order of the paths, each with the names of its checkpoint. */
  readonly networks: readonly BoundNetwork[];
}

/** Inputs, engine and tools of a task that makes networks. */
export interface TaskMaking extends Pick<TaskContext, "folder" | "signal" | "onProgress">, StudyPorts {
  /** Paths of the files that the task reads. */
  readonly inputs: TaskPaths;
  /** Options with which a training keeps its state in the folder of the task and goes on from it. */
  readonly resuming: Resuming;
  /** Opens checkpoints that fit the `graph` of the task; they are closed once it is done. */
  open(paths: readonly string[]): Promise<OpenedStarts>;
  /** Writes a network into the folder of the task. */
  save(file: string, network: Checkpoint): Promise<void>;
}

/** Definition of a kind of tasks that make networks. */
export interface MakingTask<P extends object> {
  /** Name of the kind. */
  readonly name: string;
  /** Version of the code, which changes whenever the same parameters and files would give different bytes. */
  readonly version: number;
  /** Schema of its parameters. */
  readonly params: z.ZodObject;
  /**
   * Name of the file or folder in which an interrupted run keeps its state.
   * @defaultValue "state.safetensors"
   */
  readonly state?: string;
  /** Makes the networks, and returns the properties of them that the record of the task holds. */
  make(making: TaskMaking, params: P): Promise<object>;
}

/** Makes a kind of tasks that make networks; they go on from the state that an interrupted run left. */
export function makingTask<P extends object>({
  name,
  version,
  params: schema,
  state = "state.safetensors",
  make,
}: MakingTask<P>): StudyTaskKind<P> {
  return {
    name,
    version,
    ...takesParams(name, schema as z.ZodType as z.ZodType<P>),
    async run({ engine, openData, folder, signal, onProgress }, params, inputs) {
      const statePath = join(folder, state);
      const closing: (() => Promise<void>)[] = [];
      const making: TaskMaking = {
        engine,
        openData,
        folder,
        signal,
        onProgress,
        inputs,
        resuming: {
          statePath,
          resume: true,
          signal,
          onProgress: ({ step, steps }) => onProgress(step / steps),
        },
        async open(paths) {
          const { graph, networks, close } = await openNetworks(inputs, paths, engine);
          closing.push(close);
          const inputNames = graph.inputs.map((input) => input.name);
          return { architecture: { graph, engine }, inputNames, networks };
        },
        async save(file, network) {
          await saveCheckpoint(network, join(folder, file), { overwrite: true });
        },
      };
      try {
        const record = await make(making, params);
        await rm(statePath, { recursive: true, force: true });
        return { kind: name, ...record };
      } finally {
        for (const close of closing) await close();
      }
    },
  };
}
