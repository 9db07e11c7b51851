import { MismatchError } from "@isthmus/core";
import { workerData } from "@isthmus/platform";
import { serveTasks } from "@isthmus/tasks";
import type { MergePlan } from "../merge-plan.ts";
import { digestPlan } from "./describe-plan.ts";
import { needsProducts, openMergeProducts } from "./merge-products.ts";
import { type MergeSource, openMergeSource } from "./merge-source.ts";
import type { MergedPiece } from "./merge-tasks.ts";
import { type MergeTarget, runPieces } from "./run-pieces.ts";

/** Data with which a worker is started. */
export interface MergeWorkerData {
  /** Description from which the worker makes the plan. */
  readonly source: MergeSource;
  /** Digest of the plan that the worker must make from the source. */
  readonly digest: string;
  /** Places to which the worker writes its pieces. */
  readonly target: MergeTarget;
}

const { source, digest, target } = workerData as MergeWorkerData;
let opened: Promise<MergePlan> | undefined;

serveTasks(async ({ params }, { signal, onProgress }) => {
  opened ??= openPlan();
  const { pieces, bytes } = params as { readonly pieces: readonly MergedPiece[]; readonly bytes: number };
  let written = 0;
  const onBytes = (more: number): void => {
    written += more;
    onProgress(written / bytes);
  };
  await runPieces(await opened, pieces, target, { signal, onBytes });
  return {};
});

/**
 * Gives a plan a multiplier of matrices for this worker, which uses one thread only, because other workers
 * multiply at the same time.
 */
async function withProducts(plan: MergePlan): Promise<MergePlan> {
  if (source.products === undefined || !needsProducts(plan)) return plan;
  return { ...plan, products: await openMergeProducts(source.products, 1) };
}

async function openPlan(): Promise<MergePlan> {
  const { plan } = await openMergeSource(source);
  if (digestPlan(plan, false) === digest) return withProducts(plan);
  throw new MismatchError(
    `Cannot merge in threads as "${source.module}" must make the plan that was given from its data alone: it makes another one`,
    { parameters: ["source"] },
  );
}
