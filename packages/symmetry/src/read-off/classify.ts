import { mixHigh, mixLow } from "../kernels/hash.ts";
import { internTuples } from "../kernels/intern.ts";
import { type Relation, refineColours } from "../kernels/refine-colours.ts";
import type { LabelStore } from "../labels/label-store.ts";

/** Classes of labels and their colours. Classes are numbered in the order of their smallest labels. */
export interface Classes {
  /** Number of classes. */
  readonly count: number;
  /** Class of each label. */
  readonly classOf: Int32Array;
  /**
   * Labels by class, equal roles at equal places: the labels of class `c` are
   * `members[start[c]] .. members[start[c + 1] - 1]`.
   */
  readonly members: Int32Array;
  /**
   * Place of the first label of each class in `members`, `[classes + 1]`; the last entry is the number of
   * labels.
   */
  readonly start: Int32Array;
  /** Place of each label in `members`. */
  readonly placeOf: Int32Array;
  /** Number of the colour of each label. */
  readonly labelColour: Int32Array;
  /** Number of the colour of each class. */
  readonly colour: Int32Array;
  /** Classes of each colour. */
  readonly colourSize: Int32Array;
}

/** Finds the classes of a store and colours them by refinement. */
export function classify(store: LabelStore): Classes {
  const count = store.count;
  const labels = Int32Array.from({ length: count }, (_, label) => label);
  // Roots are the smallest labels of their classes, so numbers of first occurrence are in the order of roots.
  const { ids: classOf, count: classCount } = internTuples([store.classesOf(labels)], count);
  const relations: Relation[] = [
    ...store.links.map(({ a, b }) => ({ from: a, to: b })),
    ...store.functions.map(({ child, parent }) => ({ from: child, to: parent })),
  ];
  const low = new Int32Array(count);
  const high = new Int32Array(count);
  for (let label = 0; label < count; label++) {
    const owner = store.owner[label] as number;
    low[label] = mixLow((store.markLow[label] as number) ^ 0x3c6ef372, owner);
    high[label] = mixHigh((store.markHigh[label] as number) ^ 0x3c6ef372, owner);
  }
  const colouring = refineColours({ low, high, classOf, classCount, relations });
  const colour = colouring.classes.ids;
  const colourSize = new Int32Array(colouring.classes.count);
  for (let c = 0; c < classCount; c++) {
    const number = colour[c] as number;
    colourSize[number] = (colourSize[number] as number) + 1;
  }
  const labelColour = colouring.labels.ids;
  return {
    count: classCount,
    classOf,
    labelColour,
    colour,
    colourSize,
    ...sortMembers(classOf, classCount, labelColour),
  };
}

/** Sorts labels by class, then colour, then number. */
function sortMembers(
  classOf: Int32Array,
  classCount: number,
  labelColour: Int32Array,
): Pick<Classes, "members" | "start" | "placeOf"> {
  const count = classOf.length;
  const start = new Int32Array(classCount + 1);
  for (let label = 0; label < count; label++) {
    const c = (classOf[label] as number) + 1;
    start[c] = (start[c] as number) + 1;
  }
  for (let c = 0; c < classCount; c++) start[c + 1] = (start[c + 1] as number) + (start[c] as number);
  const members = new Int32Array(count);
  const cursor = start.slice();
  for (let label = 0; label < count; label++) {
    const c = classOf[label] as number;
    const place = cursor[c] as number;
    members[place] = label;
    cursor[c] = place + 1;
  }
  for (let c = 0; c < classCount; c++) {
    const begin = start[c] as number;
    const end = start[c + 1] as number;
    if (end - begin < 2) continue;
    members
      .subarray(begin, end)
      .sort((a, b) => (labelColour[a] as number) - (labelColour[b] as number) || a - b);
  }
  const placeOf = new Int32Array(count);
  for (let place = 0; place < count; place++) placeOf[members[place] as number] = place;
  return { members, start, placeOf };
}
