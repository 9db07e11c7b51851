import { at, entry } from "@isthmus/core";
import type { MapTree } from "../map-result.ts";

/** Best order of a group for each pair of ends, and the sum of the distances of neighbours in it. */
type Orders = ReadonlyMap<string, { readonly order: readonly number[]; readonly length: number }>;

const ends = (left: number, right: number) => `${left} ${right}`;

/**
 * Sorts the leaves of a tree so that the sum of the distances of neighbours is the smallest of all orders
 * that the joins allow (Bar-Joseph, Gifford and Jaakkola, Fast optimal leaf ordering, 2001).
 *
 * The time grows as the fourth power of the number of points.
 * @param distances - `[points][points]`, symmetric
 * @returns the points, `[points]`
 */
export function orderLeaves(joins: MapTree["joins"], distances: readonly (readonly number[])[]): number[] {
  const groups: { readonly members: readonly number[]; readonly orders: Orders }[] = distances.map(
    (_, id) => ({ members: [id], orders: new Map([[ends(id, id), { order: [id], length: 0 }]]) }),
  );
  for (const { a, b } of joins) {
    const [one, two] = [at(groups, a, "group"), at(groups, b, "group")];
    groups.push({
      members: [...one.members, ...two.members],
      orders: joinOrders(one.orders, two.orders, distances),
    });
  }
  const last = [...at(groups, groups.length - 1, "group").orders.values()];
  return [...last.reduce((best, other) => (other.length < best.length ? other : best)).order];
}

/** Finds the best orders of two groups side by side, the first on the left or on the right. */
function joinOrders(first: Orders, second: Orders, distances: readonly (readonly number[])[]): Orders {
  const orders = new Map<string, { readonly order: readonly number[]; readonly length: number }>();
  for (const left of first.values()) {
    for (const right of second.values()) {
      const [from, to] = [at(left.order, left.order.length - 1, "leaf"), at(right.order, 0, "leaf")];
      const length = left.length + at(at(distances, from, "row"), to, "distance") + right.length;
      const key = ends(at(left.order, 0, "leaf"), at(right.order, right.order.length - 1, "leaf"));
      if (length >= (orders.get(key)?.length ?? Number.POSITIVE_INFINITY)) continue;
      orders.set(key, { order: [...left.order, ...right.order], length });
    }
  }
  for (const key of [...orders.keys()]) {
    const { order, length } = entry(orders, key, "order");
    const turned = order.toReversed();
    orders.set(ends(at(turned, 0, "leaf"), at(turned, turned.length - 1, "leaf")), { order: turned, length });
  }
  return orders;
}
