import type { FamilyTrees } from "./family-trees.ts";

/** One network in the order of its family tree. */
export interface TreeRow {
  /** Position of the network. */
  readonly network: number;
  /** Number of ancestors among the networks. */
  readonly depth: number;
  /** Lines that lead to the network from its ancestors, as text. */
  readonly lines: string;
}

/**
 * Lists networks as family trees: each parent before its children, and families one after the other.
 * Networks that a file puts into a circle, which no tree has, are left out.
 */
export function listTree({ parents }: Pick<FamilyTrees, "parents">): TreeRow[] {
  const childrenOf = (parent: number | null) => [...parents.keys()].filter((i) => parents[i] === parent);
  const rows: TreeRow[] = [];
  const visit = (network: number, depth: number, before: string, isLast: boolean): void => {
    rows.push({ network, depth, lines: depth === 0 ? "" : `${before}${isLast ? "└─ " : "├─ "}` });
    const children = childrenOf(network);
    const below = depth === 0 ? "" : `${before}${isLast ? "   " : "│  "}`;
    for (const [i, child] of children.entries()) visit(child, depth + 1, below, i === children.length - 1);
  };
  for (const root of childrenOf(null)) visit(root, 0, "", true);
  return rows;
}
