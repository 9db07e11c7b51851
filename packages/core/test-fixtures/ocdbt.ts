// Makes blocks of OCDBT databases for tests, good and bad.
import { crc32c } from "@isthmus/platform";

/** Magic numbers of manifests and of nodes. */
export const [MANIFEST, NODE] = [0x0cdb3a2a, 0x0cdb20de] as const;

/** Writes a number, 7 bits in a byte. */
export function varint(value: number | bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

/** Makes a block around a body: its length and checksum are right. */
export function block(magic: number, body: Uint8Array | readonly number[], compression = 0): Buffer {
  const bytes = Buffer.alloc(14 + body.length + 4);
  bytes.writeUInt32BE(magic);
  bytes.writeBigUInt64LE(BigInt(bytes.length), 4);
  bytes[13] = compression;
  bytes.set(body, 14);
  return withChecksum(bytes);
}

/** Puts the right checksum at the end of a block. */
export function withChecksum(bytes: Buffer): Buffer {
  bytes.writeUInt32LE(crc32c(bytes.subarray(0, -4)), bytes.length - 4);
  return bytes;
}

/** Where the root of a tree is. */
export interface Root {
  readonly file?: string;
  readonly begin?: number;
  readonly length: number;
  readonly height?: number;
  readonly kind?: number;
}

const filesOf = (file: string): number[] => [1, ...varint(file.length), 0, ...Buffer.from(file)];

/** Makes a manifest of one version. */
export function manifest({ file = "d/x", begin = 0, length, height = 0, kind = 0 }: Root): Buffer {
  const config = [...Array(16).fill(0), kind, 100, ...varint(8_000_000), 4, 0];
  const version = [1, 1, height, 0, ...varint(begin), ...varint(length), 0, 0, 0, ...Array(8).fill(0)];
  return block(MANIFEST, [...config, ...filesOf(file), ...version, 0]);
}

/** Makes a node whose only child is somewhere in a file. */
export function interior(height: number, child: Omit<Root, "height">): Buffer {
  const { file = "d/x", begin = 0, length } = child;
  return block(NODE, [
    ...[height, ...filesOf(file), 1],
    ...[0, 0], // the length of its key, and of what all keys below share
    ...[0, ...varint(begin), ...varint(length), 0, 0, 0],
  ]);
}

/** Makes a leaf with values that are stored in it. */
export function leaf(values: Readonly<Record<string, string | Uint8Array>>): Buffer {
  const entries = Object.entries(values)
    .map(([key, value]) => [key, Buffer.from(value as string)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return block(NODE, [
    ...[0, 0, ...varint(entries.length)],
    ...entries.slice(1).map(() => 0),
    ...entries.flatMap(([key]) => varint(key.length)),
    ...entries.flatMap(([key]) => [...Buffer.from(key)]),
    ...entries.flatMap(([, value]) => varint(value.length)),
    ...entries.map(() => 0),
    ...entries.flatMap(([, value]) => [...value]),
  ]);
}

/** Makes a database of one leaf. */
export function database(values: Parameters<typeof leaf>[0]): Record<string, Buffer> {
  const node = leaf(values);
  return { "manifest.ocdbt": manifest({ length: node.length }), "d/x": node };
}
