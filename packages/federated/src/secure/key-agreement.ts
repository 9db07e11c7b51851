import { FormatError } from "@isthmus/core";
import {
  concatBytes,
  createHash,
  createPrivateKey,
  createPublicKey,
  decodeBase64,
  diffieHellman,
  encodeBase64,
  type KeyObject,
} from "@isthmus/platform";
import { deriveKey, KEY_BYTES } from "../random/derive-key.ts";

/** Header before the 32 bytes of an X25519 key in PKCS #8 and in SPKI (RFC 8410, section 7 and 4). */
const PRIVATE_HEAD: Uint8Array = decodeBase64("MC4CAQAwBQYDK2VuBCIEIA==");
const PUBLIC_HEAD: Uint8Array = decodeBase64("MCowBQYDK2VuAyEA");

/** Returns the public X25519 key, in base64, of 32 secret bytes. */
export function publicKeyOf(secret: Uint8Array): string {
  const key = createPublicKey(privateKey(secret)).export({ format: "der", type: "spki" });
  return encodeBase64(key.subarray(PUBLIC_HEAD.length));
}

/**
 * Derives the key that two clients share, and that nobody else can compute from their messages: X25519 (RFC
 * 7748) and HKDF with SHA-256.
 * @param theirs - public key in base64
 * @param labels - purpose of the key, the same on both sides
 * @throws FormatError if the text is not a public key, or is one of the few with which no secret can be
 * agreed on
 */
export function agreeOnKey(secret: Uint8Array, theirs: string, ...labels: readonly string[]): Uint8Array {
  const key = concatBytes([PUBLIC_HEAD, decodeBytes(theirs, KEY_BYTES, "a public key")]);
  let shared: Uint8Array;
  try {
    const publicKey = createPublicKey({
      key: encodeBase64(key),
      encoding: "base64",
      format: "der",
      type: "spki",
    });
    shared = diffieHellman({ privateKey: privateKey(secret), publicKey });
  } catch (cause) {
    throw new FormatError(`Cannot agree on a key with the public key "${theirs}" as X25519 refuses it`, {
      format: "secure sum",
      cause,
    });
  }
  return deriveKey(new Uint8Array(shared), ...labels);
}

/**
 * Reads bytes from base64, in its one canonical form.
 * @param length - number of bytes that the text must have. @defaultValue any
 * @throws FormatError if the text is not base64, or has another number of bytes
 */
export function decodeBytes(text: unknown, length: number | undefined, what: string): Uint8Array {
  const bytes = typeof text === "string" ? decodeBase64(text) : undefined;
  if (bytes !== undefined && encodeBase64(bytes) === text && bytes.length === (length ?? bytes.length))
    return bytes;
  throw new FormatError(
    `Cannot read ${what} as it must be ${length ?? "some"} bytes in base64: it is ${describe(text)}`,
    { format: "secure sum" },
  );
}

/** Writes bytes as base64. */
export function encodeBytes(bytes: Uint8Array): string {
  return encodeBase64(bytes);
}

/** Returns SHA-256 of a share, together with the labels of its purpose, in base64. */
export function commitTo(share: Uint8Array, ...labels: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(labels)).update(share).digest("base64");
}

function privateKey(secret: Uint8Array): KeyObject {
  const key = encodeBase64(concatBytes([PRIVATE_HEAD, secret]));
  return createPrivateKey({ key, encoding: "base64", format: "der", type: "pkcs8" });
}

function describe(value: unknown): string {
  return typeof value === "string" ? `a text of ${value.length} characters` : typeof value;
}
