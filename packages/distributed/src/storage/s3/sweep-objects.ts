import type * as Sdk from "@aws-sdk/client-s3";
import { forEachOf } from "@isthmus/tasks";
import { listAttempts } from "./list-attempts.ts";
import { mustSay, statusOf } from "./s3-error.ts";
import type { S3Objects, S3Target } from "./s3-objects.ts";
import { keysOf, LEFT, storePrefix } from "./task-keys.ts";
import { winnerOf } from "./write-once.ts";

/**
 * Milliseconds after which an attempt without a result, or an upload to another store, counts as abandoned.
 */
const ATTEMPT_LIFE = 60 * 60_000;
const UPLOAD_LIFE = 24 * 60 * 60_000;

/** Number of requests at once. */
const AT_ONCE = 8;

/**
 * Removes leftovers of attempts at tasks of a store: files left for the next attempt, files of attempts that
 * came too late, files that were written an hour ago and never published, and interrupted uploads.
 */
export async function sweepObjects(objects: S3Objects, store: string): Promise<void> {
  const prefix = storePrefix(store);
  await objects.send("list uploads to", "", (target) => abortUploads(target, prefix));
  const attempts = await listAttempts(objects, store, prefix);
  await forEachOf(attempts, AT_ONCE, async ({ task, attempt, files }) => {
    const winner = await winnerOf(objects, keysOf({ store, key: task }).result);
    if (winner === attempt) return;
    const newest = Math.max(...files.map(({ written }) => written));
    // Another process may be about to publish the attempt.
    const isLeft = attempt.endsWith(LEFT);
    if (winner === undefined && !isLeft && Date.now() - newest < ATTEMPT_LIFE) return;
    for (const { key } of files) await objects.remove(key);
  });
}

/** Aborts multipart uploads to a store, and uploads to other stores that are a day old. */
async function abortUploads({ client, sdk, at }: S3Target, prefix: string): Promise<void> {
  const all = { Bucket: at.Bucket, Prefix: at.Key };
  for (let next: Sdk.ListMultipartUploadsCommandInput | undefined = all; next !== undefined; ) {
    const page: Sdk.ListMultipartUploadsCommandOutput = await client
      .send(new sdk.ListMultipartUploadsCommand(next))
      .catch(noneIfUnable);
    for (const { Key: name, UploadId, Initiated } of page.Uploads ?? []) {
      const Key = mustSay(name, "the name of an upload");
      const began = mustSay(Initiated, `when the upload of "${Key}" began`);
      const isOld = Date.now() - began.getTime() > UPLOAD_LIFE;
      if (!isOld && !Key.startsWith(`${at.Key}${prefix}`)) continue;
      await client.send(new sdk.AbortMultipartUploadCommand({ Bucket: at.Bucket, Key, UploadId }));
    }
    const { IsTruncated, NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page;
    next = IsTruncated === true ? { ...all, KeyMarker, UploadIdMarker } : undefined;
  }
}

/**
 * Returns an empty list for a server that cannot list uploads: such servers are for tests, or drop uploads by
 * themselves.
 */
function noneIfUnable(error: unknown): Sdk.ListMultipartUploadsCommandOutput {
  if (statusOf(error) !== 501 && statusOf(error) !== 405) throw error;
  return { $metadata: {} };
}
