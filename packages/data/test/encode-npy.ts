/** Encodes a `.npy` file with this header, for tests: `encodeNpy("{'descr': '|u1', ...}", bytes)`. */
export function encodeNpy(header: string, body: Uint8Array, version: 1 | 2 | 3 = 1): Uint8Array {
  const text = Buffer.from(`${header}\n`, version === 3 ? "utf8" : "latin1");
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  if (version === 1) length.writeUInt16LE(text.length);
  else length.writeUInt32LE(text.length);
  return new Uint8Array(
    Buffer.concat([Buffer.from([0x93]), Buffer.from("NUMPY"), Buffer.from([version, 0]), length, text, body]),
  );
}

/** Header of an array in C order. */
export function npyHeader(descr: string, shape: readonly number[]): string {
  const extents = shape.map((extent) => `${extent},`).join(" ");
  return `{'descr': '${descr}', 'fortran_order': False, 'shape': (${extents}), }`;
}
