import { type Checkpoint, openCheckpoint, UsageError } from "@isthmus/core";
import { resolve } from "@isthmus/platform";
import { planMerge } from "../merge.ts";
import type { MergeMethod } from "../merge-method.ts";
import { MERGE_METHODS } from "../methods.ts";
import type { GivenParameters, ParameterSpecs } from "../parameters.ts";
import { importModule, type MergeSource, type OpenedMerge } from "./merge-source.ts";

/** A merge of checkpoints in files, in which every tensor has the same rule, as plain data. */
export interface FileMerge {
  /** Paths of the networks that are merged. */
  readonly networks: readonly string[];
  /** Path of the base that the networks were fine-tuned from. */
  readonly base?: string;
  /** Name of the method. */
  readonly method: string;
  /**
   * Path of a JavaScript module that exports the method, as default or under any name, if the method is not
   * in `MERGE_METHODS`. Every thread imports the module.
   */
  readonly methodFile?: string;
  /** Values of the method's parameters. @defaultValue the defaults of the method */
  readonly parameters?: GivenParameters<ParameterSpecs>;
  /** Seed of methods that draw random numbers. @defaultValue 0 */
  readonly seed?: number;
}

/**
 * Describes a merge of files such that worker threads can open it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { describeFileMerge, openMergeSource, saveMerge } from "@isthmus/merging";
 *
 * const networks = ["examples/mnist-mlp/s0.safetensors", "examples/mnist-mlp/s1.safetensors"];
 * const source = describeFileMerge({ networks, method: "linear" });
 * const { plan, close } = await openMergeSource(source);
 * const { tensors } = await saveMerge(plan, "mean.safetensors", { source, overwrite: true });
 * assert.equal(tensors.merged, plan.tensors.size);
 * await close();
 * ```
 */
export function describeFileMerge(merge: FileMerge): MergeSource {
  const { networks, base, methodFile } = merge;
  const data = {
    ...merge,
    networks: networks.map((path) => resolve(path)),
    ...(base !== undefined && { base: resolve(base) }),
    ...(methodFile !== undefined && { methodFile: resolve(methodFile) }),
  };
  return { module: import.meta.url, data, files: methodFile === undefined ? [] : [resolve(methodFile)] };
}

/**
 * Opens a merge that {@link describeFileMerge} described.
 * @throws UsageError if no method has the name
 * @throws the same errors as `openCheckpoint` and `planMerge`
 * @public as the module of a description, which threads import
 */
export async function openMerge(merge: FileMerge): Promise<OpenedMerge> {
  const method = await findMethod(merge);
  const opened: Checkpoint[] = [];
  const close = async (): Promise<void> => {
    for (const checkpoint of opened) await checkpoint.close();
  };
  const open = async (path: string): Promise<Checkpoint> => {
    const checkpoint = await openCheckpoint(path);
    opened.push(checkpoint);
    return checkpoint;
  };
  try {
    const networks: Checkpoint[] = [];
    for (const path of merge.networks) networks.push(await open(path));
    const base = merge.base === undefined ? undefined : await open(merge.base);
    const { parameters = {}, seed = 0 } = merge;
    return { plan: planMerge(networks, { method, parameters, base, seed }), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function findMethod({
  method: name,
  methodFile,
}: Pick<FileMerge, "method" | "methodFile">): Promise<MergeMethod> {
  if (methodFile === undefined) {
    const method = MERGE_METHODS.get(name);
    if (method !== undefined) return method;
    throw new UsageError(
      `Cannot merge by "${name}" as there must be a method of that name: there are ${[...MERGE_METHODS.keys()].join(", ")}`,
    );
  }
  const exported = Object.values(await importModule(methodFile));
  const method = exported.find((value) => isMethod(value) && value.name === name);
  if (method !== undefined) return method as MergeMethod;
  throw new UsageError(
    `Cannot merge by "${name}" as "${methodFile}" must export a method of that name: it exports none`,
  );
}

function isMethod(value: unknown): value is MergeMethod {
  return typeof value === "object" && value !== null && "blendInto" in value && "name" in value;
}
