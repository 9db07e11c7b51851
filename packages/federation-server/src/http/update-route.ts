import { rm } from "node:fs/promises";
import { cutText } from "@isthmus/core";
import {
  type FederationState,
  isLocal,
  networkOfRound,
  REASON_CHARACTERS,
  type ReceivedUpdate,
  refusalOf,
  wordsOf,
} from "@isthmus/federated";
import type { FastifyInstance } from "fastify";
import { removeUpdates } from "../server/run-round.ts";
import type { Federation } from "../server/running-federation.ts";
import { fileSize } from "../store/read-pieces.ts";
import { rememberStamp } from "../store/stamps.ts";
import { publish } from "../store/store.ts";
import type { ScannedParts, ScannedUpload } from "../work/scan-upload.ts";
import { inTurn } from "../work/workers.ts";
import { attend } from "./attend.ts";
import type { ServerMetrics } from "./metrics.ts";
import { RefusedError } from "./refuse.ts";
import { REFUSED, ROUND_PARAMS, UPDATE_ANSWER, UPDATE_BODY } from "./schemas.ts";
import { unlessFull } from "./unless-full.ts";
import type { Uploads } from "./uploads.ts";

interface UpdateRequest {
  Params: { round: number };
  Body: Pick<ReceivedUpdate, "hash" | "examples" | "loss" | "metrics">;
}

/** Adds the route by which a client submits uploaded bytes as its update for a round. */
export function addUpdateRoute(
  app: FastifyInstance,
  federation: Federation,
  { uploads, metrics }: { readonly uploads: Uploads; readonly metrics: ServerMetrics },
): void {
  const turns = new Map<string, (update: ReceivedUpdate) => Promise<void>>();
  /** Returns the function that handles the updates of one client one after another. */
  const turnOf = (client: string) => {
    const turn = turns.get(client) ?? inTurn((update) => countUpdate(federation, uploads, update));
    turns.set(client, turn);
    return turn;
  };
  app.post<UpdateRequest>("/v1/rounds/:round/updates", {
    schema: {
      params: ROUND_PARAMS,
      body: UPDATE_BODY,
      response: { 200: UPDATE_ANSWER, ...REFUSED },
      tags: ["updates"],
      summary: "Let uploaded bytes count as the update of a round; asking twice is harmless",
    },
    async handler(request, reply) {
      const { client } = request;
      const { round } = request.params;
      attend(federation, request, reply);
      try {
        const update = { ...claimOf(federation, request.body), client, round };
        await unlessFull(federation, () => turnOf(client)(update));
      } catch (error) {
        if (error instanceof RefusedError && error.statusCode < 500)
          metrics.updates.inc({ result: "refused" });
        throw error;
      }
      metrics.updates.inc({ result: "accepted" });
      return { accepted: true, round, hash: request.body.hash };
    },
  });
}

/**
 * Returns the part of a claim that is stored: in a private federation neither loss nor metrics, which have no
 * noise.
 */
function claimOf({ config }: Federation, { hash, ...claim }: UpdateRequest["Body"]): UpdateRequest["Body"] {
  const { privacy } = config.strategy;
  if (config.plan.secure !== null) return { hash, examples: 1 };
  if (privacy === undefined) return { hash, ...claim };
  return { hash, examples: isLocal(privacy) ? 1 : claim.examples };
}

/**
 * Checks an update and lets it count.
 * @throws RefusedError if the update does not count, with the reason
 */
async function countUpdate(federation: Federation, uploads: Uploads, update: ReceivedUpdate): Promise<void> {
  const { config, store } = federation;
  const { client, hash, examples } = update;
  if (isCounted(federation.state, update)) return;
  await refuseIf(federation, update, 409, refusalOf(config.plan, federation.state, update));
  if (examples > config.limits.examples) {
    const reason = `a client may claim ${config.limits.examples} examples: it claims ${examples}`;
    await refuseIf(federation, update, 422, reason);
  }
  // The file is moved out of the client's reach first, so that the checked bytes are the ones that count.
  const path = store.unchecked(client);
  const scanned = await uploads.take(client, hash, path);
  if (scanned === undefined) {
    throw new RefusedError(404, "The bytes of the update must be there first: send them to /v1/uploads/HASH");
  }
  try {
    await refuseIf(federation, update, 422, await refusalOfBytes(federation, update, { path, scanned }));
    // The round may have been closed in the meantime.
    await refuseIf(federation, update, 409, refusalOf(config.plan, federation.state, update));
    await letCount(federation, update, path);
  } finally {
    await rm(path, { force: true });
  }
}

/**
 * Moves the checked bytes of an update to their final path and lets the update count, in place of older
 * updates of the client.
 * @throws RefusedError if the update does not count any more, with the reason
 */
async function letCount(federation: Federation, update: ReceivedUpdate, path: string): Promise<void> {
  const { config, store } = federation;
  const older = [...federation.state.updates, ...federation.state.held].filter(
    ({ client }) => client === update.client,
  );
  const target = store.update(update);
  await publish(path, target);
  await rememberStamp(federation.stamps, target);
  if (!(await federation.happen({ kind: "update-received", ...update }))) {
    await removeUpdates(federation, [update]);
    // If the event has no effect and there is no reason to refuse the update, the server is closing.
    const reason = refusalOf(config.plan, federation.state, update) ?? "the server is closing";
    await refuseIf(federation, update, 409, reason);
  }
  const unneeded = older.filter((other) => !isNeeded(federation.state, other));
  await removeUpdates(federation, unneeded);
}

/** Returns what the tensors of updates must be; `null` if updates are masked. */
export function scannedParts(federation: Federation): ScannedParts | null {
  const { config, state, store } = federation;
  if (config.plan.secure !== null) return null;
  const { keptTensors: keep, averagedTensors: averaged, sharedVariances: variances } = federation;
  // All networks of a federation have the same tensors.
  const { rank } = config.limits;
  const { adapters } = config.strategy;
  return { network: store.model(state.network), keep, averaged, variances, rank, adapters };
}

/** Says why the bytes of an update cannot count; of a masked update only the length can be checked. */
async function refusalOfBytes(
  federation: Federation,
  { client, round }: ReceivedUpdate,
  { path, scanned }: { readonly path: string; readonly scanned: ScannedUpload },
): Promise<string | undefined> {
  const { config, state, workers, store } = federation;
  if (config.plan.secure === null) {
    // The round exists, as `refusalOf` has checked before.
    const network = store.model(networkOfRound(state, round) as string);
    const { keptTensors: keep, averagedTensors: averaged } = federation;
    const { norm } = config.limits;
    const { adapters } = config.strategy;
    const request = { client, update: path, scanned, network, keep, averaged, norm, adapters };
    return (await workers.check(request)).refusal ?? undefined;
  }
  if (state.secure === null) return "no secure sum is open";
  const bytes = 4 * wordsOf(state.secure.sum.settings);
  const size = await fileSize(path);
  return size === bytes ? undefined : `a masked update must have ${bytes} bytes: it has ${size}`;
}

/**
 * Returns whether the very same update counted before, as a client repeats its request if the answer was
 * lost.
 */
function isCounted(
  { updates, held, history }: FederationState,
  { client, hash, round }: ReceivedUpdate,
): boolean {
  const counted = [...updates, ...held, ...history.slice(round - 1).flatMap((record) => record.updates)];
  return counted.some((other) => other.client === client && other.hash === hash && other.round === round);
}

function isNeeded({ updates, held }: FederationState, update: ReceivedUpdate): boolean {
  return updates.includes(update) || held.includes(update);
}

/**
 * Refuses an update if there is a reason, which is journaled unless the same reason was journaled before.
 * @throws RefusedError with the reason
 */
async function refuseIf(
  federation: Federation,
  { client, round }: ReceivedUpdate,
  status: number,
  refusal: string | undefined,
): Promise<void> {
  if (refusal === undefined) return;
  const reason = cutText(refusal, REASON_CHARACTERS);
  const isKnown = federation.state.refused.some(
    (refused) => refused.client === client && refused.round === round && refused.reason === reason,
  );
  if (!isKnown) await federation.happen({ kind: "update-refused", client, round, reason });
  throw new RefusedError(status, `The update of round ${round} does not count: ${reason}`);
}
