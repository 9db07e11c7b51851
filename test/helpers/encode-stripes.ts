import { createRandom } from "@isthmus/core";
import { encodeNpy, npyHeader } from "../../packages/data/test/encode-npy.ts";
import { encodeZip, type ZipEntry } from "../../packages/data/test/encode-zip.ts";

/** Training and test images `[4, 4]` of 3 classes, a bright row each, as an npz file. */
export function encodeStripes(): Uint8Array {
  const random = createRandom(0, "stripes");
  const entries: ZipEntry[] = [];
  for (const [split, size] of [
    ["train", 200],
    ["test", 50],
  ] as const) {
    const labels = Array.from({ length: size }, () => random.integer(3));
    const pixels = Array.from({ length: 16 * size }, (_, i) =>
      Math.floor((i % 16) / 4) === labels[Math.floor(i / 16)]
        ? 150 + random.integer(100)
        : random.integer(100),
    );
    entries.push({
      name: `x_${split}.npy`,
      bytes: encodeNpy(npyHeader("|u1", [size, 4, 4]), Uint8Array.from(pixels)),
    });
    entries.push({
      name: `y_${split}.npy`,
      bytes: encodeNpy(npyHeader("|u1", [size]), Uint8Array.from(labels)),
    });
  }
  return encodeZip(entries);
}
