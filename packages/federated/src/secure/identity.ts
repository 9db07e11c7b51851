import { FormatError } from "@isthmus/core";
import { createPrivateKey, createPublicKey, encodeUtf8, signBytes, verifyBytes } from "@isthmus/platform";
import { decodeBytes, encodeBytes } from "./key-agreement.ts";
import type { KeyPairMessage } from "./messages.ts";
import type { SecureSettings } from "./secure-settings.ts";

/** Number of bytes of an Ed25519 signature. */
const SIGNATURE_BYTES = 64;

/**
 * Signs the public keys of a client for one secure sum, together with all settings of the sum, so that a
 * server can neither replace the keys nor show other settings to other clients: Ed25519 (RFC 8032).
 * @param privateKey - the client's private key, in PEM
 * @throws FormatError if the text is not such a key
 */
export function signKeys(
  message: KeyPairMessage,
  settings: SecureSettings,
  privateKey: string,
): KeyPairMessage {
  try {
    const key = createPrivateKey(privateKey);
    return { ...message, signature: encodeBytes(signBytes(null, signedOf(message, settings), key)) };
  } catch (cause) {
    throw new FormatError(
      `Cannot sign the keys of "${message.client}" as its identity must be a private key of Ed25519 in PEM, as by: openssl genpkey -algorithm ed25519`,
      { format: "secure sum", cause },
    );
  }
}

/**
 * Checks that keys are signed by clients that are known, for a sum of these settings.
 * @param publicKeys - public keys in PEM, by the names of clients
 * @throws FormatError that names the client whose keys are not
 */
export function assertSigned(
  keys: readonly KeyPairMessage[],
  settings: SecureSettings,
  publicKeys: ReadonlyMap<string, string>,
): void {
  for (const message of keys) {
    const { client, signature } = message;
    const publicKey = publicKeys.get(client);
    const fault =
      publicKey === undefined
        ? "that client is not known here"
        : signature === undefined
          ? "they are not signed"
          : isSigned(message, settings, publicKey)
            ? undefined
            : "the signature is not of these keys and settings";
    if (fault === undefined) continue;
    throw new FormatError(
      `Cannot take the roster as the keys of "${client}" must be signed by the identity that is known of it: ${fault}; the server may be lying`,
      { format: "secure sum" },
    );
  }
}

function isSigned(message: KeyPairMessage, settings: SecureSettings, publicKey: string): boolean {
  const signature = decodeBytes(message.signature, SIGNATURE_BYTES, `the signature of "${message.client}"`);
  return verifyBytes(null, signedOf(message, settings), createPublicKey(publicKey), signature);
}

/** Returns the bytes that are signed. */
function signedOf({ client, cipherKey, maskKey }: KeyPairMessage, settings: SecureSettings): Uint8Array {
  const { session, clients, threshold, elements, range, examplesCap } = settings;
  const sum = [session, clients, threshold, elements, range, examplesCap];
  return encodeUtf8(JSON.stringify(["keys of a secure sum", sum, client, cipherKey, maskKey]));
}
