import type * as Sdk from "@aws-sdk/client-s3";
import { InputError } from "@isthmus/core";
import type { S3Location } from "./s3-location.ts";

/** Milliseconds without a byte after which a connection counts as lost, and limit on the time to connect. */
const SILENCE = 60_000;
const CONNECTING = 10_000;

/** Maximum number of attempts at a request. */
const TRIES = 5;

/**
 * Makes a client of S3, with credentials from the usual environment.
 * @throws InputError if the package of the client is not installed
 */
export async function connectS3({
  endpoint,
  region,
}: S3Location): Promise<{ readonly client: Sdk.S3Client; readonly sdk: typeof Sdk }> {
  const sdk = await loadSdk();
  const client = new sdk.S3Client({
    // Only AWS has regions, but the signature must name a region for any server.
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true, region: "us-east-1" }),
    ...(region !== undefined && { region }),
    maxAttempts: TRIES,
    // Every upload carries its MD5 digest, which more servers check than newer digests.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: { socketTimeout: SILENCE, connectionTimeout: CONNECTING },
  });
  return { client, sdk };
}

async function loadSdk(): Promise<typeof Sdk> {
  try {
    return await import("@aws-sdk/client-s3");
  } catch (cause) {
    throw new InputError(
      'Cannot open a storage in S3 as its client must be installed: "@aws-sdk/client-s3" is not there; run npm install @aws-sdk/client-s3',
      { input: "@aws-sdk/client-s3", cause },
    );
  }
}
