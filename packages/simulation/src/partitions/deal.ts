import { at } from "@isthmus/core";

/** Cuts a list into parts whose sizes differ by at most 1, the larger parts first. */
export function cutEvenly(items: Uint32Array, parts: number): readonly Uint32Array[] {
  const [size, larger] = [Math.floor(items.length / parts), items.length % parts];
  return Array.from({ length: parts }, (_, part) => {
    const begin = part * size + Math.min(part, larger);
    return items.slice(begin, begin + size + Number(part < larger));
  });
}

/** Joins lists of positions, and puts the positions in ascending order. */
export function joinPositions(lists: readonly Uint32Array[]): Uint32Array {
  const joined = new Uint32Array(lists.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const list of lists) {
    joined.set(list, end);
    end += list.length;
  }
  return joined.sort();
}

/** Lists the positions `0` to `count - 1`. */
export function listPositions(count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, position) => position);
}

/** Lists the positions of the examples of each class, `[classes][its examples]`. */
export function positionsByClass(labels: Int32Array, classes: number): readonly Uint32Array[] {
  const lists: number[][] = Array.from({ length: classes }, () => []);
  for (let i = 0; i < labels.length; i++) at(lists, at(labels, i)).push(i);
  return lists.map((list) => Uint32Array.from(list));
}
