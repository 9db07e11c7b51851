import { readFile } from "node:fs/promises";
import { createRandom, createTensor } from "@isthmus/core";
import { createDataSet, createTextDataSet } from "@isthmus/data";
import type { DataSet } from "@isthmus/graph";

/** A change of images and labels, by which one data set gives several tasks. */
export interface Change {
  /** Classes that are kept; all if it is missing. */
  readonly classes?: readonly number[];
  /** Share of labels that are drawn anew. */
  readonly noise?: number;
  /** Change of the pixels. */
  readonly pixels?: "inverted" | "rotated";
}

/** Draws examples of a data set by a seed, and changes them. */
export function drawChanged(data: DataSet, count: number, seed: number, change: Change = {}): DataSet {
  const random = createRandom(seed, "drawn examples");
  const { inputs, labels } = data.read(0, data.size);
  const pixels = inputs.data as Float32Array;
  const size = pixels.length / data.size;
  const places = random
    .shuffleInPlace(Uint32Array.from({ length: data.size }, (_, i) => i))
    .filter((i) => change.classes?.includes(Number(labels[i])) ?? true)
    .slice(0, count);
  const drawn = new Float32Array(places.length * size);
  const [least, most] = [pixels.reduce((a, b) => Math.min(a, b)), pixels.reduce((a, b) => Math.max(a, b))];
  const side = data.exampleShape.at(-1) ?? 1;
  places.forEach((place, k) => {
    for (let i = 0; i < size; i++) {
      const from = change.pixels === "rotated" ? (i % side) * side + (side - 1 - Math.floor(i / side)) : i;
      const x = pixels[place * size + from] as number;
      drawn[k * size + i] = change.pixels === "inverted" ? least + most - x : x;
    }
  });
  const taken = Int32Array.from(places, (place) =>
    random.uniform() < (change.noise ?? 0) ? random.integer(data.classes) : Number(labels[place]),
  );
  return createDataSet(createTensor("f32", [places.length, ...data.exampleShape], drawn), taken, {
    name: data.name,
    classes: data.classes,
  });
}

/** Characters of texts: printable ASCII characters, the end of a line, and one sign for every other character. */
const CHARACTERS = ["\n", ...Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)), "\u00a4"];
/** Number of characters that a network sees at a time. */
const CONTEXT = 32;
const VOCABULARY: ReadonlyMap<string, number> = new Map(CHARACTERS.map((one, i) => [one, i]));

/** Reads files as one text of the characters that the networks know. */
export async function readText(paths: readonly string[], most: number): Promise<string> {
  const texts = await Promise.all(paths.map((path) => readFile(path, "utf8")));
  return texts
    .join("\n")
    .replaceAll("\r", "")
    .replaceAll(/[^\n -~]/g, "\u00a4")
    .slice(0, most);
}

/** Cuts a text into windows of characters. */
export function cutText(text: string, name: string, split: "train" | "test"): DataSet {
  return createTextDataSet(text, { name, context: CONTEXT, split, vocabulary: VOCABULARY });
}
