/** Reverses the bytes of every element of 2, 4 or 8 bytes, from big-endian to little-endian or back. */
export function swapBytesInPlace(bytes: Uint8Array, width: number): Uint8Array {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (width === 2) buffer.swap16();
  else if (width === 4) buffer.swap32();
  else if (width === 8) buffer.swap64();
  return bytes;
}
