import { InputError } from "@isthmus/core";
import { readdir } from "@isthmus/platform";
import { CONFIG_FILE, WEIGHT_FILES, WEIGHTS_OF_FILES } from "./open-adapter.ts";

/** Names of files of weights, other than the files of an adapter. */
const WEIGHTS = /\.(safetensors|safetensors\.index\.json|bin|gguf|pt|pth)$/;

/**
 * Checks, before an adapter is written, that its folder holds no model, which programs would take for an
 * adapter from then on.
 * @throws InputError if the folder has a config or weights of a model, and no settings of an adapter
 */
export async function assertNoModel(folder: string): Promise<void> {
  const names = await readdir(folder).catch((): readonly string[] => []);
  if (names.includes(CONFIG_FILE)) return;
  const ours: readonly string[] = [...WEIGHT_FILES, WEIGHTS_OF_FILES];
  // An interrupted run leaves hidden files, which are no model.
  const isOfModel = (name: string) =>
    name === "config.json" || (WEIGHTS.test(name) && !ours.includes(name) && !name.startsWith("."));
  const first = [...names].sort().find(isOfModel);
  if (first === undefined) return;
  throw new InputError(
    `Cannot write an adapter to "${folder}" as it must not be the folder of a model, which could no longer be opened as one: it holds "${first}"; choose another folder`,
    { input: folder },
  );
}
