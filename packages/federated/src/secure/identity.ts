import { FormatError } from "@isthmus/core";
import { createPrivateKey, createPublicKey, encodeUtf8, signBytes, verifyBytes } from "@isthmus/platform";
import { assertSomeOf } from "./check-message.ts";
import { decodeBytes, encodeBytes } from "./key-agreement.ts";
import type { KeyPairMessage, SurvivorsMessage } from "./messages.ts";
import type { SecureSettings } from "./secure-settings.ts";

/** Number of bytes of an Ed25519 signature. */
export const SIGNATURE_BYTES = 64;

/** The one sum that a signed list of survivors belongs to, by its settings and keys. */
interface SignedSum {
  /** Settings of the sum: session, clients, threshold, range. */
  readonly settings: SecureSettings;
  /** Keys of all clients of the sum, which are drawn anew for each sum. */
  readonly roster: readonly KeyPairMessage[];
}

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
  return { ...message, signature: sign(message.client, textOfKeys(message, settings), privateKey) };
}

/**
 * Checks that keys are signed by clients that are known, for a sum of these settings, and that the clients
 * will sign the list of survivors, too.
 * @param publicKeys - public keys in PEM, by the names of clients
 * @throws FormatError that names the client whose keys are not
 */
export function assertSigned(
  keys: readonly KeyPairMessage[],
  settings: SecureSettings,
  publicKeys: ReadonlyMap<string, string>,
): void {
  for (const message of keys) {
    const { client, signature, confirms } = message;
    const publicKey = publicKeys.get(client);
    const fault =
      publicKey === undefined
        ? "that client is not known here"
        : signature === undefined
          ? "they are not signed"
          : isSigned(client, textOfKeys(message, settings), signature, publicKey)
            ? undefined
            : "the signature is not of these keys and settings";
    if (fault !== undefined) {
      throw new FormatError(
        `Cannot take the roster as the keys of "${client}" must be signed by the identity that is known of it: ${fault}; the server may be lying`,
        { format: "secure sum" },
      );
    }
    if (confirms === true) continue;
    throw new FormatError(
      `Cannot take the roster as "${client}" must sign the list of survivors later on, too: its keys do not say that it will; let it use this version of isthmus, or the server may be lying`,
      { format: "secure sum" },
    );
  }
}

/**
 * Signs a list of survivors for one secure sum: its settings and the keys of all clients, which no other sum
 * has, so that the signature is of no use elsewhere (ConsistencyCheck of Bonawitz et al., 2017, figure 4).
 * @throws FormatError if the private key is not one of Ed25519 in PEM
 */
export function signSurvivors(
  sum: SignedSum,
  client: string,
  survivors: readonly string[],
  privateKey: string,
): string {
  return sign(client, textOfSurvivors(sum, survivors), privateKey);
}

/**
 * Checks that at least `threshold` clients that are known signed the very same list of survivors. Signatures
 * that are not valid count for nothing, so that a single client cannot stop a sum by a wrong one.
 * @param publicKeys - public keys in PEM, by the names of clients
 * @throws FormatError if fewer did, or there are signatures of others than survivors, or of one of them twice
 */
export function assertConfirmed(
  sum: SignedSum & {
    /** Name of the client that checks, which has signed the list itself. */
    readonly client: string;
  },
  { survivors, signatures = [] }: SurvivorsMessage,
  publicKeys: ReadonlyMap<string, string>,
): void {
  const { threshold } = sum.settings;
  const signers = signatures.map(({ client }) => client);
  assertSomeOf("signatures of the list of survivors", signers, { expected: survivors, threshold: 0 });
  const text = textOfSurvivors(sum, survivors);
  const valid = signatures.filter(({ client, signature }) => {
    const publicKey = publicKeys.get(client);
    return client === sum.client || (publicKey !== undefined && isSigned(client, text, signature, publicKey));
  });
  if (valid.length >= threshold) return;
  throw new FormatError(
    `Cannot reveal shares as at least ${threshold} clients that are known must have signed this very list of survivors: ` +
      `${valid.length} of ${signatures.length} signatures are of it; the server may have shown another list to others`,
    { format: "secure sum" },
  );
}

function sign(client: string, text: string, privateKey: string): string {
  try {
    return encodeBytes(signBytes(null, encodeUtf8(text), createPrivateKey(privateKey)));
  } catch (cause) {
    throw new FormatError(
      `Cannot sign for "${client}" as its identity must be a private key of Ed25519 in PEM, as by: openssl genpkey -algorithm ed25519`,
      { format: "secure sum", cause },
    );
  }
}

function isSigned(client: string, text: string, signature: string, publicKey: string): boolean {
  const bytes = decodeBytes(signature, SIGNATURE_BYTES, `the signature of "${client}"`);
  return verifyBytes(null, encodeUtf8(text), createPublicKey(publicKey), bytes);
}

/** Returns the text that is signed with keys. */
function textOfKeys({ client, cipherKey, maskKey }: KeyPairMessage, settings: SecureSettings): string {
  return JSON.stringify(["keys of a secure sum", listOf(settings), client, cipherKey, maskKey]);
}

/** Returns the text that is signed with a list of survivors. */
function textOfSurvivors({ settings, roster }: SignedSum, survivors: readonly string[]): string {
  const keys = roster.map(({ client, cipherKey, maskKey }) => [client, cipherKey, maskKey]);
  return JSON.stringify(["survivors of a secure sum", listOf(settings), keys, survivors]);
}

function listOf({ session, clients, threshold, elements, range, examplesCap }: SecureSettings): unknown[] {
  return [session, clients, threshold, elements, range, examplesCap];
}
