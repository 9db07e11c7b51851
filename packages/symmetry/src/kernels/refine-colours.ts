import { mixHigh, mixLow } from "./hash.ts";
import { type Interned, internTuples } from "./intern.ts";

/** Pairs of labels of one relation: `from[i]` is related to `to[i]`. */
export interface Relation {
  /** Labels on the left side of the relation, `[pairs]`. */
  readonly from: Int32Array;
  /** Labels on the right side of the relation, `[pairs]`. */
  readonly to: Int32Array;
}

/** A structure of colours and relations on labels `0 .. low.length - 1`. */
export interface Structure {
  /** Low halves of the labels' start colours, `[labels]`. */
  readonly low: Int32Array;
  /** High halves of the labels' start colours, `[labels]`. */
  readonly high: Int32Array;
  /** Class of each label, `0 .. classCount - 1`. */
  readonly classOf: Int32Array;
  /** Number of classes. */
  readonly classCount: number;
  /** Relations between labels that a stable colouring must respect. */
  readonly relations: readonly Relation[];
}

/** A stable colouring: colours of labels and of classes. */
export interface Colouring {
  /** Numbers of the colours of labels. */
  readonly labels: Interned;
  /**
   * Numbers of the colours of classes; a class is coloured by how often each colour occurs among its members.
   */
  readonly classes: Interned;
}

/**
 * Refines colours until they are stable: two labels stay of one colour only if they have equally many
 * neighbours of each colour in each relation and direction, and equally coloured classmates.
 *
 * This is one-dimensional Weisfeiler-Leman refinement. Equal colours are necessary for an automorphism that
 * takes one label to the other, but not sufficient in general.
 */
export function refineColours(structure: Structure): Colouring {
  const { classOf, classCount, relations } = structure;
  const count = structure.low.length;
  let low = structure.low.slice();
  let high = structure.high.slice();
  let nextLow = new Int32Array(count);
  let nextHigh = new Int32Array(count);
  const classLow = new Int32Array(classCount);
  const classHigh = new Int32Array(classCount);
  let labels = internTuples([low, high], count);
  for (;;) {
    sumMembers(low, high, classOf, classLow, classHigh);
    for (let u = 0; u < count; u++) {
      const c = classOf[u]!;
      nextLow[u] = mixLow(mixLow(low[u]!, high[u]!), classLow[c]!);
      nextHigh[u] = mixHigh(mixHigh(low[u]!, high[u]!), classHigh[c]!);
    }
    for (let r = 0; r < relations.length; r++) {
      const { from, to } = relations[r]!;
      addNeighbours(low, high, nextLow, nextHigh, to, from, 2 * r + 1);
      addNeighbours(low, high, nextLow, nextHigh, from, to, 2 * r + 2);
    }
    [low, nextLow] = [nextLow, low];
    [high, nextHigh] = [nextHigh, high];
    const refined = internTuples([low, high], count);
    const stable = refined.count === labels.count;
    labels = refined;
    if (stable) break;
  }
  sumMembers(low, high, classOf, classLow, classHigh);
  return { labels, classes: internTuples([classLow, classHigh], classCount) };
}

function sumMembers(
  low: Int32Array,
  high: Int32Array,
  classOf: Int32Array,
  classLow: Int32Array,
  classHigh: Int32Array,
): void {
  classLow.fill(0);
  classHigh.fill(0);
  for (let u = 0; u < low.length; u++) {
    const c = classOf[u]!;
    classLow[c] = (classLow[c]! + mixLow(low[u]!, high[u]!)) | 0;
    classHigh[c] = (classHigh[c]! + mixHigh(low[u]!, high[u]!)) | 0;
  }
}

/** Adds to each `to[i]` the colour of `from[i]`, mixed with the kind of the relation. */
function addNeighbours(
  low: Int32Array,
  high: Int32Array,
  nextLow: Int32Array,
  nextHigh: Int32Array,
  from: Int32Array,
  to: Int32Array,
  kind: number,
): void {
  const kindLow = mixLow(kind, 0x51ed270b);
  const kindHigh = mixHigh(kind, 0x51ed270b);
  for (let i = 0; i < from.length; i++) {
    const a = low[from[i]!]! ^ kindLow;
    const b = high[from[i]!]! ^ kindHigh;
    const target = to[i]!;
    nextLow[target] = (nextLow[target]! + mixLow(a, b)) | 0;
    nextHigh[target] = (nextHigh[target]! + mixHigh(a, b)) | 0;
  }
}
