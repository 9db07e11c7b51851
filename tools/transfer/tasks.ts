import { type Checkpoint, createRandom, createTensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import type { DataSet } from "@isthmus/graph";

/** What images are changed to before a network is fine-tuned on them. */
export const TASKS = ["inverted", "rotated", "shifted"] as const;

/** One of {@link TASKS}. */
export type Task = (typeof TASKS)[number];

/** Pixels by which images are shifted to the right and down; what comes in is black. */
const SHIFT = 4;

/**
 * Changes every image of a data set: light becomes dark, or it is turned by 90 degrees to the left, or shifted.
 */
export function changeImages(data: DataSet, task: Task): DataSet {
  const { inputs, labels } = data.read(0, data.size);
  const pixels = inputs.data as Float32Array;
  const [height = 1, width = 1] = data.exampleShape.slice(-2);
  // Bytes are scaled, and black is the least of them.
  const [least, most] = pixels.reduce(
    ([low, high], x) => [Math.min(low, x), Math.max(high, x)] as [number, number],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] as [number, number],
  );
  const size = height * width;
  const changed = pixels.map((x, i) => {
    if (task === "inverted") return least + most - x;
    const [image, row, column] = [Math.floor(i / size), Math.floor((i % size) / width), i % width];
    if (task === "shifted") {
      return row < SHIFT || column < SHIFT ? least : (pixels[i - SHIFT * width - SHIFT] as number);
    }
    return pixels[image * size + column * width + (width - 1 - row)] as number;
  });
  return createDataSet(createTensor(inputs.dtype, inputs.shape, changed), Int32Array.from(labels), {
    name: `${data.name}, ${task}`,
    classes: data.classes,
  });
}

/** Turns every window of a text round, so that a model of it has to read backwards. */
export function reverseTexts({ gatherInto: _, ...data }: DataSet): DataSet {
  return {
    ...data,
    name: `${data.name}, reversed`,
    read(begin, end) {
      const { inputs, labels, ...rest } = data.read(begin, end);
      const reversed = <T extends typeof inputs.data | Int32Array>(values: T): T => {
        const turned = values.slice() as T;
        const length = turned.length / (end - begin);
        for (let row = 0; row < end - begin; row++) {
          turned.subarray(row * length, (row + 1) * length).reverse();
        }
        return turned;
      };
      return {
        ...rest,
        inputs: createTensor(inputs.dtype, inputs.shape, reversed(inputs.data)),
        labels: labels.length === inputs.data.length ? reversed(labels) : labels,
      };
    },
  };
}

/** Takes the examples `[from, to)` of a data set. */
export function sliceExamples({ gatherInto: _, ...data }: DataSet, from: number, to: number): DataSet {
  return {
    ...data,
    name: `${data.name}, ${from} to ${to}`,
    size: to - from,
    read: (begin, end) => data.read(from + begin, from + end),
  };
}

/** Takes some examples of a data set, drawn by a seed. */
export function drawExamples(data: DataSet, count: number, seed: number): DataSet {
  const random = createRandom(seed, "drawn examples");
  const { inputs, labels } = data.read(0, data.size);
  const size = inputs.data.length / data.size;
  const places = Array.from({ length: data.size }, (_, i) => ({ i, key: random.uniform() }))
    .sort((a, b) => a.key - b.key)
    .slice(0, count);
  const drawn = new Float32Array(places.length * size);
  places.forEach(({ i }, k) => {
    drawn.set((inputs.data as Float32Array).subarray(i * size, (i + 1) * size), k * size);
  });
  const taken = Int32Array.from(places, ({ i }) => Number(labels[i]));
  return createDataSet(createTensor("f32", [places.length, ...data.exampleShape], drawn), taken, {
    name: `${count} of ${data.name}`,
    classes: data.classes,
  });
}

/** One line of the result. */
export interface Row {
  readonly task: Task;
  readonly name: string;
  readonly scale?: number | undefined;
  /** On changed images, and on images as they were. */
  readonly accuracy: number;
  readonly loss: number;
  readonly before?: { readonly accuracy: number; readonly loss: number } | undefined;
}

/** A network to be measured. */
export interface Measured {
  readonly name: string;
  readonly network: Checkpoint;
  readonly scale?: number;
}
