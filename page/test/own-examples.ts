import { gzipSync } from "node:zlib";
import { encodeIdx } from "../../packages/data/test/encode-idx.ts";
import { encodeNpy, npyHeader } from "../../packages/data/test/encode-npy.ts";
import { encodeZip } from "../../packages/data/test/encode-zip.ts";

/** The same eight images with their labels, in a form of files: its name, their name as data, the files. */
export type OwnExamples = readonly [
  form: string,
  name: string,
  files: readonly (readonly [path: string, bytes: Uint8Array])[],
];

const images = Uint8Array.from({ length: 8 * 784 }, (_, i) => (i * i) % 251);
const labels = Uint8Array.from({ length: 8 }, (_, i) => i);

const idx = [
  ["own-images-idx3-ubyte", encodeIdx([8, 28, 28], images)],
  ["own-labels-idx1-ubyte", encodeIdx([8], labels)],
] as const;

const npy = [
  ["own-x.npy", encodeNpy(npyHeader("|u1", [8, 28, 28]), images)],
  ["own-y.npy", encodeNpy(npyHeader("|u1", [8]), labels)],
] as const;

const npz = encodeZip(npy.map(([name, bytes]) => ({ name: name.replace("own-", ""), bytes })));

const safetensors = encodeSafetensors(
  `{"x":{"dtype":"U8","shape":[8,28,28],"data_offsets":[0,6272]},"y":{"dtype":"U8","shape":[8],"data_offsets":[6272,6280]}}`,
  Buffer.concat([images, labels]),
);

/** Examples in each form of files that the page takes. */
export const OWN_EXAMPLES: readonly OwnExamples[] = [
  ["a .safetensors file", "safetensors:own.safetensors", [["own.safetensors", safetensors]]],
  ["an .npz file", "npz:own.npz", [["own.npz", npz]]],
  ["idx files", "idx:own-images-idx3-ubyte,own-labels-idx1-ubyte", idx],
  [
    "compressed idx files",
    "idx:own-images-idx3-ubyte.gz,own-labels-idx1-ubyte.gz",
    idx.map(([path, bytes]) => [`${path}.gz`, gzipSync(bytes)]),
  ],
  ["a pair of .npy files", "npy:own-x.npy,own-y.npy", npy],
];

/** Encodes a safetensors file of this header, which is JSON. */
export function encodeSafetensors(header: string, body: Uint8Array): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, Buffer.from(header), body]);
}
