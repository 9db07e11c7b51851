import { setTimeout } from "node:timers/promises";
import type * as Sdk from "@aws-sdk/client-s3";
import { InputError, isIsthmusError } from "@isthmus/core";
import { connectS3 } from "./connect-s3.ts";
import { assertStored, contentMd5 } from "./content-md5.ts";
import { mustSay, s3Error, statusOf } from "./s3-error.ts";
import type { S3Location } from "./s3-location.ts";

/** Description of an object by a server. */
export interface S3Object {
  /** Name of the object after the prefix of the storage. */
  readonly key: string;
  /** Number of bytes of the object. */
  readonly size: number;
  /** Tag that changes with the bytes of the object. */
  readonly etag: string;
  /** Time when the object was written, in milliseconds since 1970, by the clock of the server. */
  readonly written: number;
}

/** Metadata of an object: texts by name. */
export type S3Metadata = Readonly<Record<string, string>>;

/** An object with its metadata. */
export interface DescribedObject extends S3Object {
  /** Texts that are stored with the object, by name. */
  readonly metadata: S3Metadata;
}

/** The objects of a bucket below a prefix. All failures are InputErrors without secrets. */
export interface S3Objects {
  /** Address of the objects, for people. */
  readonly name: string;
  /** Checks that the server answers and has the bucket. */
  reach(): Promise<void>;
  /** Describes an object; undefined if the object does not exist. */
  head(key: string): Promise<DescribedObject | undefined>;
  /** Lists the objects whose names begin with a text, by name. */
  list(begin: string): Promise<readonly S3Object[]>;
  /** Reads bytes `[begin, end)` of an object; fails if it has been replaced since it was described. */
  read(object: S3Object, begin: number, end: number): Promise<Uint8Array>;
  /**
   * Writes an object.
   * @param options - `once`: do not overwrite an existing object, on servers that support this
   * @returns false if an existing object was kept
   */
  write(key: string, body: Uint8Array, options: WriteOptions): Promise<boolean>;
  /** Removes an object, if it exists. */
  remove(key: string): Promise<void>;
  /** Sends another command about an object; `attempt` describes the command for messages. */
  send<T>(attempt: string, key: string, run: (to: S3Target) => Promise<T>): Promise<T>;
  /** Ends all connections of the client. */
  close(): void;
}

/** Options of {@link S3Objects.write}. */
export interface WriteOptions {
  /** Texts to store with the object, by name. @defaultValue none */
  readonly metadata?: S3Metadata;
  /** Whether an existing object is kept. @defaultValue false, an existing object is replaced */
  readonly once?: boolean;
}

/** Client and object of a command. */
export interface S3Target {
  /** Client that sends the command. */
  readonly client: Sdk.S3Client;
  /** Module with the classes of commands, which is loaded only if a storage is in S3. */
  readonly sdk: typeof Sdk;
  /** Bucket and full name of the object. */
  readonly at: { readonly Bucket: string; readonly Key: string };
}

/** Number of times that bytes are read again after a connection broke during the download. */
const READ_TRIES = 3;

/**
 * Number of attempts to write while another request writes the same object, and milliseconds between them.
 */
const WRITE_TRIES = 10;
const CONFLICT_PAUSE = 100;

/**
 * Opens the objects of a bucket, with credentials from the usual environment.
 * @throws InputError if the client of S3 is not installed
 */
export async function openS3Objects(location: S3Location): Promise<S3Objects> {
  const { bucket, prefix } = location;
  const { client, sdk } = await connectS3(location);
  const name = prefix === "" ? `s3://${bucket}` : `s3://${bucket}/${prefix}`;
  const fullKey = (key: string): string => (prefix === "" ? key : `${prefix}/${key}`);
  const send: S3Objects["send"] = async (attempt, key, run) => {
    try {
      return await run({ client, sdk, at: { Bucket: bucket, Key: fullKey(key) } });
    } catch (error) {
      throw isIsthmusError(error) ? error : s3Error(`${attempt} "${name}/${key}"`, error);
    }
  };
  return {
    name,
    send,
    async reach() {
      // The answer to this request has a body, which says whether the bucket is missing.
      await send("open", "", ({ client, sdk, at }) =>
        client.send(new sdk.ListObjectsV2Command({ Bucket: at.Bucket, Prefix: at.Key })),
      );
    },
    head: (key) => send("look at", key, (target) => headObject(target, key)),
    list: (begin) => send("list", begin, (target) => listObjects(target, fullKey("").length)),
    read: (object, begin, end) =>
      send("read", object.key, (target) => readRange(target, object, [begin, end])),
    write: (key, body, options) => send("write", key, (target) => writeObject(target, body, options)),
    async remove(key) {
      await send("remove", key, ({ client, sdk, at }) => client.send(new sdk.DeleteObjectCommand(at)));
    },
    close: () => client.destroy(),
  };
}

async function headObject({ client, sdk, at }: S3Target, key: string): Promise<DescribedObject | undefined> {
  try {
    const head = await client.send(new sdk.HeadObjectCommand(at));
    const { ETag, LastModified, ContentLength: Size, Metadata: metadata = {} } = head;
    return { ...describe({ Key: at.Key, ETag, LastModified, Size }), key, metadata };
  } catch (error) {
    // The answer to HEAD has no body that could say more, such as that the bucket does not exist.
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

async function listObjects({ client, sdk, at }: S3Target, cut: number): Promise<readonly S3Object[]> {
  const objects: S3Object[] = [];
  for (let token: string | undefined; ; ) {
    const page = await client.send(
      new sdk.ListObjectsV2Command({ Bucket: at.Bucket, Prefix: at.Key, ContinuationToken: token }),
    );
    for (const object of page.Contents ?? []) {
      const described = describe(object);
      objects.push({ ...described, key: described.key.slice(cut) });
    }
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    if (token === undefined) return objects;
  }
}

/** Describes an object with a full name by an answer of a server. */
function describe({ Key, Size, ETag, LastModified }: Sdk._Object): S3Object {
  const key = mustSay(Key, "the name of an object");
  return {
    key,
    size: mustSay(Size, `the size of "${key}"`),
    etag: mustSay(ETag, `the tag of "${key}"`),
    written: mustSay(LastModified, `when "${key}" was written`).getTime(),
  };
}

async function readRange(
  { client, sdk, at }: S3Target,
  { etag }: S3Object,
  [begin, end]: readonly [number, number],
): Promise<Uint8Array> {
  const command = { ...at, Range: `bytes=${begin}-${end - 1}`, IfMatch: etag };
  for (let attempt = 1; ; attempt++) {
    const { Body, ETag } = await client.send(new sdk.GetObjectCommand(command));
    // The client itself retries only until the first byte has arrived.
    const bytes = await Body?.transformToByteArray().catch((error: unknown) => {
      if (attempt === READ_TRIES) throw error;
    });
    if (ETag !== etag) throw changed(at.Key, "it was replaced meanwhile");
    if (bytes?.length === end - begin) return bytes;
    if (attempt === READ_TRIES)
      throw changed(at.Key, `bytes after ${begin + (bytes?.length ?? 0)} are missing`);
  }
}

function changed(key: string, problem: string): InputError {
  return new InputError(
    `Cannot read "${key}" as it must stay as it is while it is read: ${problem}; try again`,
    {
      input: key,
    },
  );
}

async function writeObject(
  { client, sdk, at }: S3Target,
  body: Uint8Array,
  { metadata, once = false }: WriteOptions,
): Promise<boolean> {
  const md5 = contentMd5(body);
  const command = { ...at, Body: body, ContentMD5: md5, Metadata: { ...metadata } };
  for (let attempt = 1; ; attempt++) {
    try {
      const put = new sdk.PutObjectCommand({ ...command, ...(once && { IfNoneMatch: "*" }) });
      assertStored(await client.send(put), md5, at.Key);
      return true;
    } catch (error) {
      if (once && statusOf(error) === 412) return false;
      // Another request is writing the same object, and may fail.
      if (!once || statusOf(error) !== 409 || attempt === WRITE_TRIES) throw error;
    }
    await setTimeout(attempt * CONFLICT_PAUSE);
  }
}
