import { type Checkpoint, openCheckpoint } from "@isthmus/core";
import type { NormLimit } from "../config/federation-config.ts";
import { measureChange, normsOfNetwork, refusalOfChange, rootsOf, type SharedParts } from "./change-norms.ts";
import { type ScannedUpload, sharedPart } from "./scan-upload.ts";

/** Inputs of the check of an update for a round. */
export interface CheckRequest extends SharedParts {
  /** Name of the client. */
  readonly client: string;
  /** Path of the update. */
  readonly update: string;
  /** Result of the scan of its bytes. */
  readonly scanned: ScannedUpload;
  /** Largest norm of the change, in the shared tensors. */
  readonly norm: NormLimit;
}

/** Result of the check of an update. */
export interface CheckedUpdate {
  /** Reason why the update cannot count; `null` if it can. */
  readonly refusal: string | null;
}

/**
 * Checks an update whose bytes were scanned: whether they have a fault, or change the network of the round
 * too much. The norm of a change is at most the sum of the norms of both networks. For most updates this
 * bound is within the limit, and the change need not be measured.
 */
export async function checkUpdate(request: CheckRequest): Promise<CheckedUpdate> {
  const { fault, squares } = request.scanned;
  if (fault !== null) return { refusal: fault };
  const keep = new Set(request.keep);
  const network = await openCheckpoint(request.network);
  try {
    const asked = sharedPart(network, keep);
    const [before, after] = [await normsOfNetwork(asked, request), rootsOf(squares)];
    const most = { whole: before.whole + after.whole, parameters: before.parameters + after.parameters };
    if (refusalOfChange(most, before, request.norm) === undefined) return { refusal: null };
    const change = await changeOf(asked, request, keep);
    return { refusal: refusalOfChange(change, before, request.norm) ?? null };
  } finally {
    await network.close();
  }
}

async function changeOf(
  network: Checkpoint,
  { update: path, averaged }: CheckRequest,
  keep: ReadonlySet<string>,
) {
  const update = await openCheckpoint(path);
  try {
    return await measureChange(network, sharedPart(update, keep), new Set(averaged));
  } finally {
    await update.close();
  }
}
