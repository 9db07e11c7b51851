/**
 * Decodes bytes as Latin-1, whose characters are the code points 0 to 255. The `"latin1"` of a TextDecoder is
 * windows-1252 by its standard, in which the bytes 0x80 to 0x9f are other characters: Node 20 decoded it as
 * Latin-1, newer versions do not.
 */
export function decodeLatin1({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("latin1");
}
