import { InputError } from "@isthmus/core";

/** Returns the error for a file of a task that is missing from a storage. */
export function notPublished(path: string): InputError {
  return new InputError(
    `Cannot open "${path}" as the task that makes it must be published: it is not, or has no such file; run that task first`,
    { input: path },
  );
}
