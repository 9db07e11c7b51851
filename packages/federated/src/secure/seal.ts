import { FormatError } from "@isthmus/core";
import { concatBytes, createCipheriv, createDecipheriv, encodeUtf8, randomBytes } from "@isthmus/platform";
import { decodeBytes, encodeBytes } from "./key-agreement.ts";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Returns the number of bytes that so many bytes have once they are sealed. */
export function sealedBytes(length: number): number {
  return NONCE_BYTES + length + TAG_BYTES;
}

/**
 * Encrypts bytes so that only holders of the key can read them, and any change is detected: AES-256-GCM.
 * @param context - purpose of the bytes; they cannot be opened with another context
 * @returns nonce, ciphertext and tag, in base64
 */
export function sealBytes(key: Uint8Array, bytes: Uint8Array, context: readonly string[]): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(encodeUtf8(JSON.stringify(context)));
  return encodeBytes(concatBytes([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]));
}

/**
 * Decrypts bytes that `sealBytes` encrypted.
 * @param length - number of bytes that were sealed
 * @throws FormatError if the key or the context is another one, or a bit was changed
 */
export function openSealed(
  key: Uint8Array,
  sealed: string,
  length: number,
  context: readonly string[],
): Uint8Array {
  const what = `shares of ${context.map((part) => `"${part}"`).join(", ")}`;
  const bytes = decodeBytes(sealed, sealedBytes(length), what);
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, NONCE_BYTES));
  decipher.setAAD(encodeUtf8(JSON.stringify(context)));
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
  try {
    const opened = decipher.update(bytes.subarray(NONCE_BYTES, bytes.length - TAG_BYTES));
    decipher.final();
    return new Uint8Array(opened);
  } catch (cause) {
    throw new FormatError(
      `Cannot open ${what} as they must be as their sender sealed them: they were changed, or are for another client`,
      { format: "secure sum", cause },
    );
  }
}
