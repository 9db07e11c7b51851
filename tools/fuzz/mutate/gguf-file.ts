/** A tensor of a GGUF file that is made. */
export interface MadeTensor {
  readonly name: string;
  /** Extents in the order of the file: the axis that varies fastest first. */
  readonly extents: readonly number[];
  /** Number of the type. */
  readonly type: number;
  readonly bytes: Uint8Array;
}

/** Makes a GGUF file of version 3 with metadata of texts and f32 numbers. */
export function makeGguf(
  metadata: Readonly<Record<string, string | number>>,
  tensors: readonly MadeTensor[],
): Buffer {
  const parts: Buffer[] = [Buffer.from("GGUF\x03\0\0\0", "latin1")];
  parts.push(u64(tensors.length), u64(Object.keys(metadata).length));
  for (const [key, value] of Object.entries(metadata)) {
    const number = Buffer.from(Float32Array.of(Number(value)).buffer);
    parts.push(
      text(key),
      u32(typeof value === "string" ? 8 : 6),
      typeof value === "string" ? text(value) : number,
    );
  }
  let offset = 0;
  for (const { name, extents, type, bytes } of tensors) {
    parts.push(text(name), u32(extents.length), ...extents.map(u64), u32(type), u64(offset));
    offset += padded(bytes.length);
  }
  const head = Buffer.concat(parts);
  const body = tensors.map(({ bytes }) =>
    Buffer.concat([bytes, Buffer.alloc(padded(bytes.length) - bytes.length)]),
  );
  return Buffer.concat([head, Buffer.alloc(padded(head.length) - head.length), ...body]);
}

const padded = (length: number): number => Math.ceil(length / 32) * 32;

function u32(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(value);
  return out;
}

function u64(value: number): Buffer {
  const out = Buffer.alloc(8);
  out.writeBigUInt64LE(BigInt(value));
  return out;
}

function text(value: string): Buffer {
  return Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);
}
