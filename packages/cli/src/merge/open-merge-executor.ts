import { join, resolve } from "node:path";
import { at, UsageError } from "@isthmus/core";
import type { OpenMergeExecutor } from "@isthmus/merging";
import type { OpenedRecipe } from "@isthmus/recipe";
import { createTask } from "@isthmus/tasks";
import { createEngine } from "../options/engine-option.ts";
import { openQueueExecutor } from "../options/queue-options.ts";
import type { Context } from "../verb.ts";
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
  { opened, context }: { readonly opened: OpenedRecipe; readonly context: Context },
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
    const engine = (await createEngine(options.engine)).name;
    let parts = 0;
    return {
      capacity: executor.capacity,
      run(params, control) {
        const label = `merge part ${++parts}, from ${at(params.pieces, 0, "piece").tensor}`;
        const inside = {
          ...params,
          folder: resolve(params.folder),
          tensors: params.tensors.map(absolutePlace),
        };
        const task = createTask(mergePiecesTask, engine, { params: inside, inputs: {}, label });
        return runQueuedTask(executor, folder, task, control);
      },
      close: () => executor.close(),
    };
  };
}

type Place = Parameters<Awaited<ReturnType<OpenMergeExecutor>>["run"]>[0]["tensors"][number];

const absolutePlace = ([name, place]: Place): Place => [name, { ...place, path: resolve(place.path) }];
