import { createHash, randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { InputError, isIsthmusError } from "@isthmus/core";
import type { S3Objects } from "./s3-objects.ts";

/** An object that only one attempt at a task may write. */
export interface OnceObject {
  /** Name of the object after the prefix of the storage. */
  readonly key: string;
  /** Bytes of the object. */
  readonly body: Uint8Array;
  /** Text that is stored with the object, and tells attempts apart. */
  readonly attempt: string;
  /** Prefix of the names of claims, by which attempts agree on servers without conditional writes. */
  readonly claims: string;
}

/** Name of the metadata of an object that says which attempt wrote it. */
const ATTEMPT_TEXT = "attempt";

/**
 * Milliseconds after which a claim counts as abandoned by a killed process, and after which claiming is given
 * up.
 */
const CLAIM_LIFE = 5 * 60_000;
const CLAIM_PATIENCE = 2 * CLAIM_LIFE;

/** Shortest and longest pause between two claims of one attempt, in milliseconds. */
const SHORTEST_PAUSE = 50;
const LONGEST_PAUSE = 5000;

/**
 * Makes a function that writes an object unless another attempt has written it, and returns whether the
 * object is its own.
 *
 * Servers that support `If-None-Match` do this in one request; a trial object shows whether a server does.
 * On other servers each attempt writes a claim, and goes on only if it then sees no other claim; else it
 * withdraws its claim and tries again.
 */
export function createWriteOnce(objects: S3Objects): (object: OnceObject) => Promise<boolean> {
  let heeds: Promise<boolean> | undefined;
  return async (object) => {
    heeds ??= heedsCondition(objects);
    const isConditional = await heeds.catch((error: unknown) => {
      heeds = undefined;
      throw error;
    });
    if (!isConditional) return writeByClaim(objects, object);
    const { key, body, attempt } = object;
    if (await objects.write(key, body, { metadata: { [ATTEMPT_TEXT]: attempt }, once: true })) return true;
    // The object may have been written by a request whose answer was lost.
    return (await winnerOf(objects, key)) === attempt;
  };
}

/** Returns the attempt that has written an object; undefined if the object does not exist. */
export async function winnerOf(objects: S3Objects, key: string): Promise<string | undefined> {
  const object = await objects.head(key);
  if (object === undefined) return undefined;
  const attempt = object.metadata[ATTEMPT_TEXT];
  if (attempt !== undefined) return attempt;
  throw new InputError(
    `Cannot use "${objects.name}/${key}" as it must say which attempt wrote it, in the text "${ATTEMPT_TEXT}": it does not; copy objects with their metadata, or remove it to run the task again`,
    { input: key },
  );
}

/** Tests whether a server refuses to overwrite an object if a request asks for that. */
async function heedsCondition(objects: S3Objects): Promise<boolean> {
  const key = `.trial-${randomUUID()}`;
  const empty = new Uint8Array(0);
  await objects.write(key, empty, {});
  try {
    return !(await objects.write(key, empty, { once: true }));
  } catch (error) {
    const { status } = (isIsthmusError(error) ? error.cause : {}) as { readonly status?: number };
    if (status === 501 || status === 400) return false;
    throw error;
  } finally {
    await objects.remove(key);
  }
}

async function writeByClaim(
  objects: S3Objects,
  { key, body, attempt, claims }: OnceObject,
): Promise<boolean> {
  const claim = `${claims}${attempt}`;
  for (let round = 0, waited = 0; waited < CLAIM_PATIENCE; round++) {
    await objects.write(claim, new Uint8Array(0), {});
    try {
      if (await isAlone(objects, claim, claims)) {
        const winner = await winnerOf(objects, key);
        if (winner !== undefined) return winner === attempt;
        return await objects.write(key, body, { metadata: { [ATTEMPT_TEXT]: attempt } });
      }
    } finally {
      await objects.remove(claim);
    }
    const pause = pauseOf(attempt, round);
    await setTimeout(pause);
    waited += pause;
  }
  throw new InputError(
    `Cannot write "${objects.name}/${key}" as no other attempt may be about to: others are, for ${CLAIM_PATIENCE / 60_000} minutes`,
    { input: key },
  );
}

/** Checks that no other attempt has a claim, except claims whose process seems to have been killed. */
async function isAlone(objects: S3Objects, claim: string, claims: string): Promise<boolean> {
  const all = await objects.list(claims);
  const mine = all.find(({ key }) => key === claim);
  // All times are by the server's clock.
  return (
    mine !== undefined &&
    all.every(({ key, written }) => key === claim || mine.written - written > CLAIM_LIFE)
  );
}

/** Returns a pause that differs between attempts, so that they do not collide again and again. */
function pauseOf(attempt: string, round: number): number {
  const share = createHash("sha256").update(`${attempt} ${round}`).digest().readUInt16BE() / 2 ** 16;
  return (0.5 + share) * Math.min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** round);
}
