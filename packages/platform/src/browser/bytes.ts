/** Most characters that are made at once, as arguments of one call. */
const AT_ONCE = 2 ** 13;

/** Decodes bytes as Latin-1, whose characters are the code points 0 to 255. */
export function decodeLatin1(bytes: Uint8Array): string {
  let text = "";
  for (let begin = 0; begin < bytes.length; begin += AT_ONCE)
    text += String.fromCharCode(...bytes.subarray(begin, begin + AT_ONCE));
  return text;
}

/** Compares bytes in order; negative if the first other byte is smaller in `a`, or `a` ends before `b`. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    if (a[i] !== b[i]) return (a[i] as number) < (b[i] as number) ? -1 : 1;
  }
  return Math.sign(a.length - b.length);
}

/** Reverses the bytes of every element of 2, 4 or 8 bytes, from big-endian to little-endian or back. */
export function swapBytesInPlace(bytes: Uint8Array, width: number): Uint8Array {
  if (width > 1) for (let i = 0; i < bytes.length; i += width) bytes.subarray(i, i + width).reverse();
  return bytes;
}

/** Encodes bytes as Base64. */
export function encodeBase64(bytes: Uint8Array): string {
  return btoa(decodeLatin1(bytes));
}

/** Decodes Base64; characters that it does not have are skipped. */
export function decodeBase64(text: string): Uint8Array {
  const digits = text
    .replace(/-/g, "+")
    .replace(/_/g, "/")
    .replace(/[^A-Za-z0-9+/]/g, "");
  return Uint8Array.from(atob(digits), (character) => character.charCodeAt(0));
}
