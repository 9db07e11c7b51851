import { pathToFileURL } from "node:url";
import { UsageError } from "@isthmus/core";
import type { MergePlan } from "../merge-plan.ts";

/**
 * Description of a merge as plain data, from which any thread of any process makes the same plan: a module,
 * and what its function `openMerge` is called with.
 */
export interface MergeSource {
  /** URL or path of a module that exports `openMerge`, an {@link OpenMerge}. */
  readonly module: string;
  /**
   * Everything that the plan depends on, as JSON can hold it: paths of networks, a recipe, the paths of files
   * with methods of the user's own, which `openMerge` imports.
   */
  readonly data: unknown;
  /**
   * Paths of files beside the networks that decide the result, such as files with methods: a merge that was
   * interrupted starts from the beginning once one of them has changed. @defaultValue none
   */
  readonly files?: readonly string[];
  /**
   * URL of a module that exports `openProducts`: makes the products of matrices for each worker thread, with
   * one thread inside a product. They must be products by the same engine as the plan's. @defaultValue the
   * products of the plan that `openMerge` makes
   */
  readonly products?: string | undefined;
}

/** A plan, and how the networks that were opened for it are closed. */
export interface OpenedMerge {
  readonly plan: MergePlan;
  close(): Promise<void>;
}

/** The function of a module that makes a plan from plain data. */
export type OpenMerge = (data: never) => Promise<OpenedMerge>;

/**
 * Opens the plan that a description stands for.
 * @throws UsageError if its module has no function `openMerge`
 * @throws whatever that function throws
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
