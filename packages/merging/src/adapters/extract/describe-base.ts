import { type Checkpoint, isIsthmusError, readJsonFile } from "@isthmus/core";
import { join } from "@isthmus/platform";
import type { ResolvedExtraction } from "./extract-options.ts";

/** Ends of the names of classes in `config.json`, with the task that PEFT calls them. */
const TASKS: readonly (readonly [RegExp, string])[] = [[/(ForCausalLM|LMHeadModel)$/, "CAUSAL_LM"]];

/**
 * Returns the settings of PEFT that say what an adapter belongs to: the name of the base, and the task of a
 * causal language model. Other tasks are left open, as PEFT would make modules of its own for them.
 */
export async function describeBase(
  { source }: Checkpoint,
  { baseName }: Pick<ResolvedExtraction, "baseName">,
): Promise<Readonly<Record<string, unknown>>> {
  const config = await readConfig(join(source, "config.json"));
  const [architecture] = Array.isArray(config["architectures"]) ? config["architectures"] : [];
  const task = TASKS.find(([pattern]) => typeof architecture === "string" && pattern.test(architecture));
  return { base_model_name_or_path: baseName ?? source, task_type: task?.[1] ?? null };
}

/** Reads a config; an empty object if there is none, or it is no JSON object. */
async function readConfig(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const value = await readJsonFile(path, { attempt: "read the config of the base", pythonNumbers: true });
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch (error) {
    if (isIsthmusError(error, "InputError") || isIsthmusError(error, "FormatError")) return {};
    throw error;
  }
}
