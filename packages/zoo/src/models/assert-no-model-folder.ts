import { assertNoInput } from "@isthmus/core";
import { basename, join } from "@isthmus/platform";
import { findModelConfig } from "./open-model.ts";

/**
 * Checks, before long work, that the output would not overwrite a model.
 * @throws InputError if the output is the folder of a model that is an input
 */
export async function assertNoModelFolder(output: string, models: readonly string[]): Promise<void> {
  const configs = await Promise.all(models.map(findModelConfig));
  const inputs = configs.filter((config) => config !== undefined);
  await assertNoInput(
    inputs.map((config) => join(output, basename(config))),
    inputs,
  );
}
