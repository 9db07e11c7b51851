import { stat } from "@isthmus/platform";
import { InputError } from "../errors.ts";

/**
 * Checks that none of `outputs` is one of the files in `inputs`, under any name or link.
 * @throws InputError that names the file.
 */
export async function assertNoInput(outputs: readonly string[], inputs: readonly string[]): Promise<void> {
  const taken = new Map<string, string>();
  for (const input of inputs) {
    const identity = await identityOf(input);
    if (identity !== undefined) taken.set(identity, input);
  }
  for (const output of outputs) {
    const identity = await identityOf(output);
    const input = identity === undefined ? undefined : taken.get(identity);
    if (input === undefined) continue;
    throw new InputError(
      `Cannot write "${output}" as it must not be a file that is read from: it is "${input}"; choose another path`,
      { input: output },
    );
  }
}

/** Returns device and inode, which identify a file under all its links; undefined if the file is missing. */
async function identityOf(path: string): Promise<string | undefined> {
  const stats = await stat(path, { bigint: true }).catch(() => undefined);
  return stats && `${stats.dev}:${stats.ino}`;
}
