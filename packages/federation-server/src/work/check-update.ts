import { type Checkpoint, openCheckpoint } from "@isthmus/core";
import {
  type AdapterScaling,
  type FactorPair,
  namesOfFactors,
  scaleBy,
  squaredChange,
  squaredProducts,
} from "@isthmus/federated";
import type { NormLimit } from "../config/federation-config.ts";
import {
  measureChange,
  normsOfNetwork,
  refusalOfChange,
  rootsOf,
  type SharedParts,
  sharedPairs,
  withProducts,
} from "./change-norms.ts";
import { completed } from "./complete-update.ts";
import { type ScannedUpload, sharedPart } from "./scan-upload.ts";

/** Inputs of the check of an update for a round. */
export interface CheckRequest extends SharedParts {
  /** Name of the client. */
  readonly client: string;
  /** Path of the update. */
  readonly update: string;
  /** Result of the scan of its bytes. */
  readonly scanned: ScannedUpload;
  /** Largest norm of the change, in the shared tensors and the products of adapters. */
  readonly norm: NormLimit;
  /** Scale of the products of adapters; undefined if it is not stated. */
  readonly adapters: AdapterScaling | undefined;
}

/** Result of the check of an update. */
export interface CheckedUpdate {
  /** Reason why the update cannot count; `null` if it can. */
  readonly refusal: string | null;
}

/**
 * Checks an update whose bytes were scanned: whether they have a fault, or change the network of the round
 * too much. The norm of a change is at most the sum of the norms of both networks. For most updates this
 * bound is within the limit, and the change need not be measured; of adapters the products are always
 * measured.
 */
export async function checkUpdate(request: CheckRequest): Promise<CheckedUpdate> {
  const { fault, squares } = request.scanned;
  if (fault !== null) return { refusal: fault };
  const network = await openCheckpoint(request.network);
  try {
    const asked = sharedPart(network, new Set(request.keep));
    const pairs = sharedPairs(network, request.keep);
    const products = await measureProducts(network, pairs, request);
    const [start, after] = [await normsOfNetwork(asked, request), rootsOf(squares)];
    const before = withProducts(start, products.before);
    const most = withProducts(
      { whole: start.whole + after.whole, parameters: start.parameters + after.parameters },
      products.change,
    );
    if (refusalOfChange(most, before, request.norm) === undefined) return { refusal: null };
    const measured = await withUpdate(request, (update, keep) =>
      measureChange(asked, sharedPart(update, keep), {
        statistics: new Set(request.averaged),
        factors: namesOfFactors(pairs),
      }),
    );
    const change = withProducts(measured, products.change);
    return { refusal: refusalOfChange(change, before, request.norm) ?? null };
  } finally {
    await network.close();
  }
}

/** Measures the squared norms of the products of all adapters in the network, and of their change. */
async function measureProducts(
  network: Checkpoint,
  pairs: readonly FactorPair[],
  request: CheckRequest,
): Promise<{ readonly before: number; readonly change: number }> {
  if (pairs.length === 0) return { before: 0, change: 0 };
  const products = { pairs, scaleOf: request.adapters && scaleBy(request.adapters) };
  return withUpdate(request, async (update, keep) => ({
    before: await squaredProducts(network, products),
    change: await squaredChange(network, completed(update, network, keep), products),
  }));
}

/** Opens an update, with the names of the tensors that its client keeps, and closes it after the work. */
async function withUpdate<T>(
  { update: path, keep }: CheckRequest,
  work: (update: Checkpoint, keep: ReadonlySet<string>) => Promise<T>,
): Promise<T> {
  const update = await openCheckpoint(path);
  try {
    return await work(update, new Set(keep));
  } finally {
    await update.close();
  }
}
