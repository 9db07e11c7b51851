import { UsageError } from "@isthmus/core";
import { pathToFileURL } from "@isthmus/platform";
import type { MergePlan } from "../merge-plan.ts";

/**
 * Description of a merge as plain data, from which any thread of any process makes the same plan: a module,
 * and the argument of its function `openMerge`.
 */
export interface MergeSource {
  /** URL or path of a module that exports `openMerge`, an {@link OpenMerge}. */
  readonly module: string;
  /**
   * Everything that the plan depends on, as JSON: paths of networks, a recipe, or paths of files with further
   * methods, which `openMerge` imports.
   */
  readonly data: unknown;
  /**
   * Paths of files, other than networks, that decide the result, such as files with methods. An interrupted
   * merge starts from the beginning if one of them has changed. @defaultValue none
   */
  readonly files?: readonly string[];
  /**
   * URL of a module that exports `openProducts`, which makes the multiplier of matrices of each worker
   * thread, with one thread for a product. It must use the same engine as the multiplier of the plan.
   * @defaultValue the multiplier of the plan that `openMerge` makes
   */
  readonly products?: string | undefined;
}

/** A plan, with a function that closes the networks that were opened for it. */
export interface OpenedMerge {
  /** Plan that the description stands for. */
  readonly plan: MergePlan;
  /** Closes the networks that were opened for the plan. */
  close(): Promise<void>;
}

/** Function of a module that makes a plan from plain data. */
export type OpenMerge = (data: never) => Promise<OpenedMerge>;

/**
 * Opens the plan of a description.
 * @throws UsageError if the module has no function `openMerge`
 * @throws any error of that function
 */
export async function openMergeSource({ module, data }: MergeSource): Promise<OpenedMerge> {
  const { openMerge } = await importModule(module);
  if (typeof openMerge !== "function") {
    throw new UsageError(
      `Cannot open a merge by "${module}" as it must export a function openMerge: it exports none`,
    );
  }
  return (openMerge as OpenMerge)(data as never);
}

/** Imports a module by its URL or path. */
export function importModule(module: string): Promise<Readonly<Record<string, unknown>>> {
  return import(/^[a-z][\w+.-]+:/i.test(module) ? module : pathToFileURL(module).href);
}
