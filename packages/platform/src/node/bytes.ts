/** Decodes bytes as Latin-1, whose characters are the code points 0 to 255. */
export function decodeLatin1({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("latin1");
}

/** Compares bytes in order; negative if the first other byte is smaller in `a`, or `a` ends before `b`. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

/** Reverses the bytes of every element of 2, 4 or 8 bytes, from big-endian to little-endian or back. */
export function swapBytesInPlace(bytes: Uint8Array, width: number): Uint8Array {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (width === 2) buffer.swap16();
  else if (width === 4) buffer.swap32();
  else if (width === 8) buffer.swap64();
  return bytes;
}

/** Encodes bytes as Base64. */
export function encodeBase64({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("base64");
}

/** Decodes Base64; characters that it does not have are skipped. */
export function decodeBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64"));
}
