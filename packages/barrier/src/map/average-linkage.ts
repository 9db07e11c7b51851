import { at, InvariantError } from "@isthmus/core";
import type { MapTree } from "../map-result.ts";

/** Group of points that were joined. */
interface Group {
  readonly id: number;
  readonly members: readonly number[];
}

/** Two groups, and the distance between them. */
interface Candidate {
  readonly a: Group;
  readonly b: Group;
  readonly height: number;
  readonly tie: number;
}

/**
 * Joins points to a tree, always the two groups whose members are nearest to each other on average (average
 * linkage, or UPGMA; Sokal and Michener 1958).
 * @param heights - distances that decide the order of joins, `[points][points]`, symmetric
 * @param ties - distances that decide between pairs of equal heights, `[points][points]`, symmetric
 */
export function joinByAverage(
  heights: readonly (readonly number[])[],
  ties: readonly (readonly number[])[] = heights,
): MapTree["joins"] {
  let groups: readonly Group[] = heights.map((_, id) => ({ id, members: [id] }));
  const joins: MapTree["joins"][number][] = [];
  while (groups.length > 1) {
    const { a, b, height } = nearest(groups, heights, ties);
    joins.push({ a: a.id, b: b.id, height });
    const joined = { id: heights.length + joins.length - 1, members: [...a.members, ...b.members] };
    groups = [...groups.filter((group) => group !== a && group !== b), joined];
  }
  return joins;
}

function nearest(
  groups: readonly Group[],
  heights: readonly (readonly number[])[],
  ties: readonly (readonly number[])[],
): Candidate {
  let best: Candidate | undefined;
  for (const [i, a] of groups.entries()) {
    for (const b of groups.slice(i + 1)) {
      const one = { a, b, height: meanBetween(a, b, heights), tie: meanBetween(a, b, ties) };
      if (best === undefined || one.height < best.height) best = one;
      else if (one.height === best.height && one.tie < best.tie) best = one;
    }
  }
  if (best === undefined) throw new InvariantError("there are two groups to join");
  return best;
}

function meanBetween(a: Group, b: Group, values: readonly (readonly number[])[]): number {
  let sum = 0;
  for (const i of a.members) for (const j of b.members) sum += at(at(values, i, "row"), j, "distance");
  return sum / (a.members.length * b.members.length);
}
