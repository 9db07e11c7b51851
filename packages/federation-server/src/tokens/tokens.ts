import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { stat } from "node:fs/promises";
import {
  FormatError,
  isIsthmusError,
  lockPathOf,
  readJsonFile,
  saveFile,
  takeLock,
  UsageError,
} from "@isthmus/core";

/** Pattern of the names that clients may have: names are used for folders and in tables. */
const CLIENT_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/**
 * Number of bytes of a secret: it is random and cannot be guessed, so that one round of SHA-256 is enough to
 * store it.
 */
const SECRET_BYTES = 32;
const FORMAT = "isthmus tokens";

/** Hashes of secrets by the names of clients, as in a file of tokens. */
export type TokenHashes = ReadonlyMap<string, Buffer>;

/**
 * Adds a client to a file of tokens, or gives it another token, and returns the token, which is not stored:
 * the file has its hash.
 * @throws UsageError if the name is not one that a client may have
 * @throws FormatError if the file is not a file of tokens
 * @throws InputError if another process changes the file
 */
export async function addToken(path: string, client: string): Promise<string> {
  if (!CLIENT_NAME.test(client)) {
    throw new UsageError(
      `Cannot make a token for "${client}" as a client's name must be 1 to 64 letters, digits, - and _, a letter or digit first`,
    );
  }
  const secret = randomBytes(SECRET_BYTES).toString("base64url");
  await changeTokens(path, (hashes) => hashes.set(client, hashOf(secret)));
  return `${client}.${secret}`;
}

/**
 * Removes a client from a file of tokens; returns whether the file had the client.
 * @throws FormatError if the file is not a file of tokens
 * @throws InputError if another process changes the file
 */
export async function removeToken(path: string, client: string): Promise<boolean> {
  return changeTokens(path, (hashes) => hashes.delete(client));
}

/**
 * Changes a file of tokens, while no other process changes it, so that no token is lost and no removed token
 * comes back.
 * @param change - changes the hashes, and returns `false` if nothing is to be written
 * @throws InputError if another process changes the file
 */
async function changeTokens<T>(path: string, change: (hashes: Map<string, Buffer>) => T): Promise<T> {
  const release = await takeLock(lockPathOf(path, "change"), path);
  try {
    const hashes = new Map(await readTokens(path));
    const result = change(hashes);
    if (result !== false) await writeTokens(path, hashes);
    return result;
  } finally {
    await release();
  }
}

/**
 * Reads a file of tokens; returns no tokens if there is no file.
 * @throws FormatError if the file is not a file of tokens
 */
export async function readTokens(path: string): Promise<TokenHashes> {
  if ((await stat(path).catch(() => undefined)) === undefined) return new Map();
  const attempt = `read tokens from "${path}"`;
  const rule = "it must be a file that `isthmus federate token` writes";
  const value = (await readJsonFile(path, { attempt, rule, format: FORMAT })) as {
    readonly format?: unknown;
    readonly clients?: Readonly<Record<string, unknown>>;
  } | null;
  const isMap = typeof value?.clients === "object" && value.clients !== null;
  const clients = isMap ? Object.entries(value.clients as object) : [];
  const isWhole = clients.every(([name, hash]) => CLIENT_NAME.test(name) && isHash(hash));
  if (value?.format !== FORMAT || !isMap || !isWhole) {
    throw new FormatError(`Cannot ${attempt} as ${rule}: it is something else`, { format: FORMAT });
  }
  return new Map(clients.map(([name, hash]) => [name, Buffer.from(hash as string, "hex")]));
}

const isHash = (value: unknown): boolean => typeof value === "string" && /^[\da-f]{64}$/.test(value);

async function writeTokens(path: string, hashes: TokenHashes): Promise<void> {
  const clients = Object.fromEntries(
    [...hashes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, hash]) => [name, hash.toString("hex")]),
  );
  await saveFile(path, `${JSON.stringify({ format: FORMAT, clients }, null, 2)}\n`);
}

const hashOf = (secret: string): Buffer => createHash("sha256").update(secret).digest();

/**
 * Hash with which a secret of an unknown client is compared, so that the check takes as long as for a known
 * client.
 */
const NOBODY = hashOf("");

/**
 * Returns the name of the client whose token it is, or `undefined`; the check takes the same time for all
 * wrong tokens.
 */
export function clientOfToken(hashes: TokenHashes, token: string): string | undefined {
  const place = token.indexOf(".");
  const client = token.slice(0, Math.max(place, 0));
  const hash = hashes.get(client);
  const same = timingSafeEqual(hashOf(token.slice(place + 1)), hash ?? NOBODY);
  return same && hash !== undefined ? client : undefined;
}

/** Milliseconds for which a file of tokens is not checked for changes again. */
const FRESH_MS = 1000;

/** Tokens of a file, which is read again once it has changed. */
export interface TokenFile {
  /** Returns the name of the client whose token it is, or `undefined`. */
  clientOf(token: string): Promise<string | undefined>;
}

/**
 * Follows a file of tokens, so that a client can be added and removed while the server runs.
 * @param warn - called with the reason if the file could not be read again; the tokens from before stay valid
 */
export async function followTokens(path: string, warn: (reason: string) => void): Promise<TokenFile> {
  // The stamp is taken first: if the file is changed before it is read, it is read once more.
  let stamp = await stampOf(path);
  let hashes = await readTokens(path);
  let looked = performance.now();
  const refresh = async (): Promise<void> => {
    looked = performance.now();
    const now = await stampOf(path);
    if (now === stamp) return;
    stamp = now;
    try {
      hashes = await readTokens(path);
    } catch (error) {
      if (!isIsthmusError(error)) throw error;
      warn(error.message);
    }
  };
  return {
    async clientOf(token) {
      if (performance.now() - looked > FRESH_MS) await refresh();
      return clientOfToken(hashes, token);
    },
  };
}

async function stampOf(path: string): Promise<string> {
  const stats = await stat(path, { bigint: true }).catch(() => undefined);
  return stats === undefined ? "" : `${stats.ino} ${stats.size} ${stats.mtimeNs}`;
}
