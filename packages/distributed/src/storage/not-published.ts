import { InputError } from "@isthmus/core";

/** Returns the error that a file of a task is not in a storage. */
export function notPublished(path: string): InputError {
  return new InputError(
    `Cannot open "${path}" as the task that makes it must be published: it is not, or has no such file; run that task first`,
    { input: path },
  );
}
