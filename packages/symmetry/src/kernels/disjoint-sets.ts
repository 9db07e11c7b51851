/** Finds the root of the set of an element; halves the path on the way, so that it needs no recursion. */
export function findRoot(parent: Int32Array, element: number): number {
  let at = element;
  for (;;) {
    const up = parent[at]!;
    if (up === at) return at;
    const next = parent[up]!;
    parent[at] = next;
    at = next;
  }
}

/**
 * Joins two sets, and returns whether they were different; the smaller root stays, so that results are
 * stable.
 */
export function joinSets(parent: Int32Array, a: number, b: number): boolean {
  const rootA = findRoot(parent, a);
  const rootB = findRoot(parent, b);
  if (rootA === rootB) return false;
  if (rootA < rootB) parent[rootB] = rootA;
  else parent[rootA] = rootB;
  return true;
}

/** Finds the roots of the sets of many elements, `[elements.length]`. */
export function findRoots(parent: Int32Array, elements: Int32Array): Int32Array {
  const roots = new Int32Array(elements.length);
  for (let i = 0; i < elements.length; i++) roots[i] = findRoot(parent, elements[i]!);
  return roots;
}

/** Creates a set for each of the elements `0 .. count - 1`. */
export function singletons(count: number): Int32Array {
  const parent = new Int32Array(count);
  for (let i = 0; i < count; i++) parent[i] = i;
  return parent;
}
