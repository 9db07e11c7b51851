import { dirname, join, readFile, stat } from "@isthmus/platform";
import { InputError } from "../../errors.ts";

/**
 * Lists the files of an earlier LayersModel that a new one of the same name replaces: its files of weights
 * that have names as Isthmus gives them, then its manifest.
 * @param path - path of the manifest
 * @returns an empty list if there is no file
 * @throws InputError if the existing file is not a model, as another JSON file would be lost
 */
export async function findEarlierModel(path: string): Promise<string[]> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return [];
  const manifest = manifestOf(text);
  if (manifest === undefined) {
    throw new InputError(
      `Cannot write "${path}" as it must not replace a file that is no model of TensorFlow.js: it has no weightsManifest; choose another name, such as model.json in a folder of its own`,
      { input: path },
    );
  }
  const names = new Set(manifest.flatMap((group) => (group as { paths?: unknown } | null)?.paths));
  const shards = [...names]
    .filter((name) => typeof name === "string" && /^[^/\\]*group\d+-shard\d+of\d+\.bin$/.test(name))
    .map((name) => join(dirname(path), name as string));
  const there = await Promise.all(shards.map((shard) => stat(shard).catch(() => undefined)));
  return [...shards.filter((_, i) => there[i]?.isFile()), path];
}

function manifestOf(text: string): readonly unknown[] | undefined {
  try {
    const { weightsManifest } = Object(JSON.parse(text)) as { readonly weightsManifest?: unknown };
    return Array.isArray(weightsManifest) ? weightsManifest : undefined;
  } catch {
    return undefined;
  }
}
