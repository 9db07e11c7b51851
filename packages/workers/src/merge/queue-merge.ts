import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { at, UsageError } from "@isthmus/core";
import type { QueueExecutor } from "@isthmus/distributed";
import { createEngine, type EngineName } from "@isthmus/engine";
import type { MergePiecesParams, OpenMergeExecutor, RemotePieces } from "@isthmus/merging";
import { gatherRecipe, type OpenedRecipe, type Recipe } from "@isthmus/recipe";
import { createTask, gatherFiles, type Task } from "@isthmus/tasks";
import { describeGathered } from "../queue/gather-inputs.ts";
import { openQueueExecutor, type QueuePlaces } from "../queue/open-queue.ts";
import { type FollowStep, runQueuedTask } from "../queue/with-queue.ts";
import { mergePiecesTask } from "./merge-pieces-task.ts";

/** Folder for results of tasks, within the folder of unfinished files. */
const TASKS = "tasks";

/** Options of {@link queueMerge}. */
export interface QueueMergeOptions extends QueuePlaces {
  /** Name of the engine that workers must have. @defaultValue "onnxruntime" */
  readonly engine?: EngineName | undefined;
  /** Called with the steps of the preparation of tasks. */
  readonly onStep?: FollowStep | undefined;
  /** Signal that stops the merge. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Returns a function that opens an executor, which makes the pieces of a merge on the workers of a queue, for
 * `openExecutor` of `saveRecipe`.
 * @throws UsageError if the merge cannot be made elsewhere: its methods are code of the user, or each
 *   worker would have to align its networks or to open its adapters again
 */
export function queueMerge(
  recipe: Recipe,
  opened: Pick<OpenedRecipe, "isSlow"> & { readonly methodFiles?: readonly string[] | undefined },
  { engine: name = "onnxruntime", onStep = () => {}, signal, ...places }: QueueMergeOptions,
): OpenMergeExecutor {
  const { methodFiles = [] } = opened;
  if (methodFiles.length > 0 || opened.isSlow) {
    const why =
      methodFiles.length > 0
        ? "methods of your own are code, which workers do not run"
        : "each would have to align its networks, or to open its adapters, again";
    throw new UsageError(`Cannot merge this recipe on the workers of a queue as ${why}: leave out --queue`);
  }
  return async (unfinished) => {
    const folder = join(resolve(unfinished), TASKS);
    const engine = (await createEngine(name)).name;
    const executor = await openQueueExecutor({ ...places, engine, folder });
    const { isShared } = executor;
    try {
      const describe = isShared
        ? (params: MergePiecesParams): Described => ({ params, inputs: {} })
        : await describeElsewhere(recipe, { onStep, signal });
      let parts = 0;
      return {
        capacity: executor.capacity,
        isShared,
        async run(params, control) {
          const label = `merge part ${++parts}, from ${at(params.pieces, 0, "piece").tensor}`;
          const task = createTask(mergePiecesTask, engine, { ...describe(params), label });
          await runQueuedTask(executor, folder, task, control);
          return piecesOf(executor, join(folder, task.key), task.key);
        },
        clear: async () => (isShared ? undefined : executor.clear()),
        close: () => executor.close(),
      };
    } catch (error) {
      await executor.close();
      throw error;
    }
  };
}

/** Parameters and files of a task that makes pieces. */
type Described = Pick<Task, "params" | "inputs">;

/** Returns a function that describes pieces for machines that see only the files that are sent to them. */
async function describeElsewhere(
  recipe: Recipe,
  following: { readonly onStep: FollowStep; readonly signal: AbortSignal | undefined },
): Promise<(params: MergePiecesParams) => Described> {
  const files = gatherFiles({ isElsewhere: true });
  const moved = await gatherRecipe(recipe, files);
  const inputs = { files: await describeGathered(files, following) };
  return (params) => ({ params: { ...params, data: { ...(params.data as object), recipe: moved } }, inputs });
}

function piecesOf({ isShared, remove }: QueueExecutor, folder: string, key: string): RemotePieces {
  return {
    folder,
    async remove() {
      if (isShared) return;
      await remove(key);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
