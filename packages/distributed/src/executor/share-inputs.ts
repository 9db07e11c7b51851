import type { Task, TaskFile, TaskInputs } from "@isthmus/tasks";
import type { TaskStorage } from "../storage/task-storage.ts";

/**
 * Returns a task that names the files of the user by their paths in a storage, where all workers find them.
 * Its key stays, as paths are no part of it.
 */
export async function shareInputs(task: Task, storage: TaskStorage): Promise<Task> {
  const inputs: Record<string, readonly TaskFile[]> = {};
  for (const [role, files] of Object.entries(task.inputs)) {
    inputs[role] = await Promise.all(
      files.map(async (file) => ("path" in file ? { ...file, path: await storage.share(file) } : file)),
    );
  }
  return { ...task, inputs: inputs satisfies TaskInputs };
}
