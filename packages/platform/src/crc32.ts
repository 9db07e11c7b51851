/** Makes the table of a checksum with a polynomial, whose bits are in reversed order. */
function tableOf(polynomial: number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ ((value & 1) * polynomial);
    return value;
  });
}

const TABLE = tableOf(0xedb88320);

function checksum(table: Uint32Array, bytes: Uint8Array, value: number): number {
  let rest = ~value;
  for (const byte of bytes) rest = (rest >>> 8) ^ (table[(rest ^ byte) & 0xff] as number);
  return ~rest >>> 0;
}

/** Computes the CRC-32 of the bytes whose checksum is `value`, followed by `bytes`. */
export function crc32(bytes: Uint8Array, value = 0): number {
  return checksum(TABLE, bytes, value);
}

let castagnoli: Uint32Array | undefined;

/**
 * Computes the CRC-32C of bytes, which has the polynomial of Castagnoli (RFC 3720, appendix B.4), as storage
 * systems use it.
 */
export function crc32c(bytes: Uint8Array): number {
  castagnoli ??= tableOf(0x82f63b78);
  return checksum(castagnoli, bytes, 0);
}
