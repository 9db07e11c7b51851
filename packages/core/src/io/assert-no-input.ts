import { stat } from "@isthmus/platform";
import { InputError } from "../errors.ts";

/**
 * Checks that none of `outputs` is one of the files in `inputs`, under any name or link.
 * @throws InputError that names the file.
 */
export async function assertNoInput(outputs: readonly string[], inputs: readonly string[]): Promise<void> {
  for (const [output, input] of await findInputs(outputs, inputs)) {
    throw new InputError(
      `Cannot write "${output}" as it must not be a file that is read from: it is "${input}"; choose another path`,
      { input: output },
    );
  }
}

/** Finds the paths that name a file of `inputs`, under any name or link, each with its input. */
export async function findInputs(
  paths: readonly string[],
  inputs: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const taken = new Map<string, string>();
  for (const input of inputs) {
    const identity = await identityOf(input);
    if (identity !== undefined) taken.set(identity, input);
  }
  const inputOf = new Map<string, string>();
  for (const path of paths) {
    const identity = await identityOf(path);
    const input = identity === undefined ? undefined : taken.get(identity);
    if (input !== undefined) inputOf.set(path, input);
  }
  return inputOf;
}

/** Returns device and inode, which identify a file under all its links; undefined if the file is missing. */
async function identityOf(path: string): Promise<string | undefined> {
  const stats = await stat(path, { bigint: true }).catch(() => undefined);
  return stats && `${stats.dev}:${stats.ino}`;
}
