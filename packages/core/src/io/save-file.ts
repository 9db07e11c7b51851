import { encodeUtf8 } from "@isthmus/platform";
import { assertNoInput } from "./assert-no-input.ts";
import { createOutputFile } from "./output-file.ts";

/**
 * Writes a whole file under a temporary name and then renames it, so that it appears complete or not at all;
 * an earlier file of that name is replaced.
 *
 * @param inputs - paths that must not be overwritten, under any name or link
 * @param options - `mode`: permissions of the file, before the umask of the process; `0o666` by default
 * @throws InputError if `path` is one of `inputs` or cannot be written
 */
export async function saveFile(
  path: string,
  content: string | Uint8Array,
  inputs: readonly string[] = [],
  { mode }: { readonly mode?: number } = {},
): Promise<void> {
  await assertNoInput([path], inputs);
  const file = await createOutputFile(path, mode);
  try {
    await file.write(typeof content === "string" ? encodeUtf8(content) : content, 0);
    await file.finish(true);
    await file.publish();
  } catch (error) {
    await file.discard();
    throw error;
  }
}
