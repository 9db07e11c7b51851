import { assertNoInput, InputError, resolveModelPath } from "@isthmus/core";
import { basename, dirname, join, stat } from "@isthmus/platform";
import { findModelConfig } from "./open-model.ts";

/**
 * Checks, before long work, that the output would not damage a model that is read: it must not be the folder
 * of one, nor a file of weights in a folder that is read as one model.
 * @param models - files and folders that are read; of a folder all weights belong to its model
 * @throws InputError if the output would
 */
export async function assertNoModelFolder(output: string, models: readonly string[]): Promise<void> {
  const configs = await Promise.all(models.map(findModelConfig));
  const inputs = configs.filter((config) => config !== undefined);
  await assertNoInput(
    inputs.map((config) => join(output, basename(config))),
    inputs,
  );
  const folder = (await identityOfFolder(output)) === undefined ? dirname(output) : output;
  const place = await identityOfFolder(folder);
  if (place === undefined) return;
  for (const model of new Set(models)) {
    const path = await resolveModelPath(model).catch(() => model);
    if ((await identityOfFolder(path)) !== place) continue;
    throw new InputError(
      `Cannot write "${output}" as it must not lie in the folder of a model that is read, "${model}", which would then hold the weights of two: choose another place`,
      { input: output },
    );
  }
}

/** Returns a text that identifies a folder under all its names; undefined if there is no such folder. */
async function identityOfFolder(path: string): Promise<string | undefined> {
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory();
  const identity = isFolder ? await stat(path, { bigint: true }).catch(() => undefined) : undefined;
  return identity && `${identity.dev}:${identity.ino}`;
}
