import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { at, UsageError } from "@isthmus/core";
import type { QueueExecutor } from "@isthmus/distributed";
import type { MergePiecesParams, OpenMergeExecutor, RemotePieces } from "@isthmus/merging";
import { gatherRecipe, type OpenedRecipe, type Recipe } from "@isthmus/recipe";
import { createTask, gatherFiles, type Task } from "@isthmus/tasks";
import { createEngine } from "../options/engine-option.ts";
import { openQueueExecutor } from "../options/queue-options.ts";
import type { Context } from "../verb.ts";
import { describeGathered } from "../work/gather-inputs.ts";
import { runQueuedTask } from "../work/with-queue.ts";
import type { MergeOptions } from "./merge-options.ts";
import { mergePiecesTask } from "./merge-pieces-task.ts";

/** Folder for results of tasks, within the folder of unfinished files. */
const TASKS = "tasks";

/**
 * Returns what makes the pieces of a merge on the workers of a queue; undefined if options name none.
 * @throws UsageError if the merge cannot be made elsewhere
 */
export function openMergeExecutor(
  options: MergeOptions,
  {
    recipe,
    opened,
    context,
  }: { readonly recipe: Recipe; readonly opened: OpenedRecipe; readonly context: Context },
): OpenMergeExecutor | undefined {
  const { queue, methods = [] } = options;
  if (queue === undefined) return undefined;
  if (methods.length > 0 || opened.isSlow) {
    const why =
      methods.length > 0
        ? "methods of your own are code, which workers do not run"
        : "each would have to align its networks, or to open its adapters, again";
    throw new UsageError(`Cannot merge this recipe on the workers of a queue as ${why}: leave out --queue`);
  }
  return async (unfinished) => {
    const folder = join(resolve(unfinished), TASKS);
    const executor = await openQueueExecutor(options, { folder, context });
    const { isShared } = executor;
    try {
      const describe = isShared
        ? (params: MergePiecesParams): Described => ({ params, inputs: {} })
        : await describeElsewhere(recipe, context);
      const engine = (await createEngine(options.engine)).name;
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

/** Returns what describes pieces for machines that see only files that are sent to them. */
async function describeElsewhere(
  recipe: Recipe,
  context: Context,
): Promise<(params: MergePiecesParams) => Described> {
  const files = gatherFiles({ isElsewhere: true });
  const moved = await gatherRecipe(recipe, files);
  const inputs = { files: await describeGathered(files, context) };
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
