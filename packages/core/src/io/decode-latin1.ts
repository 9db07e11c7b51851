/**
 * Decodes bytes as Latin-1, whose characters are the code points 0 to 255. The `"latin1"` of a TextDecoder
 * is windows-1252, as the
 * standard of encodings has one, in which the bytes 0x80 to 0x9f are other characters: Node 20 took it for
 * Latin-1, newer ones do not.
 */
export function decodeLatin1({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("latin1");
}
