import { partsOf } from "../inside.ts";
import type { S3Object, S3Objects } from "./s3-objects.ts";
import { storePrefix } from "./task-keys.ts";

/** An attempt at a task of which at least some files are objects. */
interface AttemptObjects {
  /** Key of the task. */
  readonly task: string;
  readonly attempt: string;
  readonly files: readonly AttemptObject[];
}

interface AttemptObject extends S3Object {
  /** Path of the file within the folder of the attempt. */
  readonly name: string;
}

/**
 * Lists the attempts at tasks of a store whose objects have names that begin with a text.
 * @throws InputError if an object has a name that no file of an attempt can have
 */
export async function listAttempts(
  objects: S3Objects,
  store: string,
  begin: string,
): Promise<readonly AttemptObjects[]> {
  const attempts = new Map<string, AttemptObjects & { readonly files: AttemptObject[] }>();
  const cut = storePrefix(store).length;
  for (const object of await objects.list(begin)) {
    const [task, folder, ...file] = object.key.slice(cut).split("/");
    if (task === undefined || !folder?.startsWith("~") || file.length === 0) continue;
    const attempt = folder.slice(1);
    const name = partsOf(file.join("/"), "the name of a file").join("/");
    const id = `${task}/${attempt}`;
    const files = attempts.get(id)?.files ?? [];
    files.push({ ...object, name });
    attempts.set(id, { task, attempt, files });
  }
  return [...attempts.values()];
}
