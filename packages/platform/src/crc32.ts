const TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ ((value & 1) * 0xedb88320);
  return value;
});

/** Computes the CRC-32 of the bytes whose checksum is `value`, followed by `bytes`. */
export function crc32(bytes: Uint8Array, value = 0): number {
  let rest = ~value;
  for (const byte of bytes) rest = (rest >>> 8) ^ (TABLE[(rest ^ byte) & 0xff] as number);
  return ~rest >>> 0;
}
