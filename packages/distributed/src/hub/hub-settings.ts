import { join } from "node:path";
import { hubCacheFolder, hubHomeFolder, readTextFile, UsageError } from "@isthmus/core";

/** Address, token and cache with which the Hugging Face hub is used. */
export interface HubSettings {
  /** Address of the hub, without a slash at its end. */
  readonly endpoint: string;
  /** Whether the user forbids every request, by `HF_HUB_OFFLINE`. */
  readonly isOffline: boolean;
  /** Token of the user; undefined if none was found. It is sent to the endpoint alone, and never shown. */
  readonly token: string | undefined;
  /** Folder of the cache. */
  readonly cache: string;
}

/** Variables of an environment, by their names. */
type Environment = Readonly<Record<string, string | undefined>>;

const ENDPOINT = "https://huggingface.co";

/** Longest token, in characters; real ones have fewer than 1,000. */
const MAX_TOKEN = 16_384;

/**
 * Reads how the hub is used from the variables that all programs of Hugging Face read: `HF_ENDPOINT`,
 * `HF_HUB_OFFLINE`, and the token from `HF_TOKEN`, else from the file of `HF_TOKEN_PATH`, else from the file
 * `token` in `HF_HOME`, which `hf auth login` writes.
 * @throws UsageError if the endpoint is no address, or the token cannot be one
 */
export async function readHubSettings(env: Environment): Promise<HubSettings> {
  return {
    endpoint: endpointOf(env["HF_ENDPOINT"] || ENDPOINT),
    isOffline: isTrue(env["HF_HUB_OFFLINE"] || env["TRANSFORMERS_OFFLINE"]),
    token: await readToken(env),
    cache: hubCacheFolder(),
  };
}

function isTrue(value: string | undefined): boolean {
  return ["1", "ON", "YES", "TRUE"].includes(value?.toUpperCase() ?? "");
}

function endpointOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isAddress = url !== undefined && (url.protocol === "https:" || url.protocol === "http:");
  if (!isAddress || url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new UsageError(
      "Cannot use the address in HF_ENDPOINT as it must be one such as https://huggingface.co, without a name, a password or a query: it is not",
    );
  }
  return url.href.replace(/\/+$/, "");
}

async function readToken(env: Environment): Promise<string | undefined> {
  const named = env["HF_TOKEN"] || env["HUGGING_FACE_HUB_TOKEN"];
  const file = env["HF_TOKEN_PATH"] || join(hubHomeFolder(), "token");
  const text = named ?? (await readTextFile(file).catch(() => ""));
  const token = text.trim();
  if (token === "") return undefined;
  if (token.length <= MAX_TOKEN && /^[\x21-\x7e]+$/.test(token)) return token;
  const place = named === undefined ? `the file "${file}"` : "HF_TOKEN";
  throw new UsageError(
    `Cannot use the token in ${place} as it must be one word of printable ASCII characters: it has others; write it again, by hf auth login`,
  );
}

/**
 * Checks whether the token may be sent with a request: to the host of the endpoint alone, and encrypted
 * unless that host is this machine.
 */
export function takesToken(endpoint: string, url: URL): boolean {
  const { origin, protocol, hostname } = new URL(endpoint);
  const isHere = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
  return url.origin === origin && (protocol === "https:" || isHere);
}
