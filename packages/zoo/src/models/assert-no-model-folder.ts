import { basename, join } from "node:path";
import { assertNoInput } from "@isthmus/core";
import { findModelConfig } from "./open-model.ts";

/**
 * Checks, before long work, that no model would be written over by another.
 * @throws InputError if the output is the folder of a model that is read
 */
export async function assertNoModelFolder(output: string, models: readonly string[]): Promise<void> {
  const configs = await Promise.all(models.map(findModelConfig));
  const inputs = configs.filter((config) => config !== undefined);
  await assertNoInput(
    inputs.map((config) => join(output, basename(config))),
    inputs,
  );
}
