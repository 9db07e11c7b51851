import { createTensor } from "@isthmus/core";
import { createDataSet, MNIST_SCALING } from "@isthmus/data";
import type { DataSet } from "@isthmus/graph";
import type { Pair } from "./story-requests.ts";

/** Extent of an image, and number of its pixels. */
const EXTENT = 28;
export const PIXELS: number = EXTENT * EXTENT;

/** Images of handwritten digits with what they show. */
export interface Digits {
  /** Bytes of the images, `[size, 28, 28]`. */
  readonly images: Uint8Array;
  /** What each image shows, `[size]`. */
  readonly labels: Uint8Array;
  readonly data: DataSet;
}

/**
 * Reads the file of digits that the build makes: compressed by gzip; the numbers of training and of test images, u32 each, then
 * the images of both, then the labels of both.
 */
export async function readDigits(stored: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<Pair<Digits>> {
  const buffer = await new Response(stored.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  const bytes = new Uint8Array(buffer);
  const [training = 0, test = 0] = new Uint32Array(buffer, 0, 2);
  const imagesEnd = 8 + (training + test) * PIXELS;
  const take = (name: string, from: number, size: number): Digits => {
    const images = bytes.subarray(8 + from * PIXELS, 8 + (from + size) * PIXELS);
    const labels = bytes.subarray(imagesEnd + from, imagesEnd + from + size);
    const options = { name: `mnist:${name}@${size}`, scaling: MNIST_SCALING, classes: 10 };
    const inputs = createTensor("u8", [size, EXTENT, EXTENT], images);
    return { images, labels, data: createDataSet(inputs, Int32Array.from(labels), options) };
  };
  return [take("train", 0, training), take("test", training, test)];
}
