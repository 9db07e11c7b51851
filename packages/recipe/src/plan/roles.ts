import type { MergeMethod } from "@isthmus/merging";
import type { Problem } from "../recipe/problem.ts";
import { type Group, keyOf, type Member } from "./groups.ts";

/** A group whose networks have their roles in the method. */
export interface RoledGroup extends Group {
  /** Networks that the method merges, in its order. */
  readonly networks: readonly [Member, ...Member[]];
  /** Base of the group; undefined if the method compares with no base. */
  readonly ancestor: Member | undefined;
}

/** Lists the networks of a group with its base, which comes last. */
export function membersOf({ networks, ancestor }: RoledGroup): readonly Member[] {
  return ancestor === undefined ? networks : [...networks, ancestor];
}

/** Lists networks that a group names more than once with the same layers and the same alignment. */
export function findTwins({ networks }: RoledGroup): readonly Problem[] {
  const first = new Map<string, Member>();
  return networks.flatMap((member): readonly Problem[] => {
    const key = JSON.stringify([member.reference, member.range, member.align ?? false]);
    if (!first.has(key)) {
      first.set(key, member);
      return [];
    }
    const text =
      "is named before, so that it counts twice; mergekit 0.1.5 refuses that: leave one out, or give it more weight";
    return [{ path: member.path, text, tolerated: "named twice" }];
  });
}

/** Finds a group of so few networks that its method does no more than `linear`. */
export function findFew(
  { networks, path, isSlice }: RoledGroup,
  { name, networks: rule }: MergeMethod,
): readonly Problem[] {
  const { averages = 0 } = rule;
  if (networks.length > averages) return [];
  const text = `has so few networks (${networks.length}) that ${name} gives their plain average, as linear does, whatever its settings but for a scale`;
  return [{ path: [...path, isSlice ? "sources" : "models"], text, tolerated: "few networks" }];
}

/**
 * Assigns roles to the networks of a group. For a method that compares with a base, the base is excluded from
 * the merged networks; for a method without a base, it is the first of them.
 * @returns the group, or the problem with it
 */
export function assignRoles(
  group: Group,
  method: MergeMethod,
): { readonly group: RoledGroup } | { readonly problem: Problem } {
  const { members, base } = group;
  const { least, most = Number.POSITIVE_INFINITY, base: rule } = method.networks;
  const isBase = ({ reference }: Member) => base !== undefined && keyOf(reference) === keyOf(base.reference);
  const listed = members.find(isBase);
  const others = members.filter((member) => member !== listed);
  const ancestor = rule === "none" || base === undefined ? undefined : (listed ?? baseBeside(base, members));
  if (rule === "required" && ancestor === undefined) {
    const text = `is missing: ${method.name} compares networks with the one that they were made from`;
    return { problem: { path: ["base_model"], text } };
  }
  // A base that is not listed takes part only where the method could do nothing without it, as slerp.
  const isAdded =
    rule === "none" && base !== undefined && listed === undefined && members.length === least - 1;
  if (rule === "none" && base !== undefined && listed === undefined && !isAdded) {
    const text = `has no effect on ${method.name}, which compares with no base: list it among the networks, or leave it out`;
    return group.isSlice ? rolesOf(members) : { problem: { path: base.path, text } };
  }
  // A base that is listed alone is merged with itself, as recipes do that only apply an adapter.
  if (rule === "required" && listed !== undefined && others.length === 0) return rolesOf([listed]);
  const first = isAdded ? baseBeside(base, members) : listed;
  return rolesOf(ancestor !== undefined || first === undefined ? others : [first, ...others]);

  function rolesOf(networks: readonly Member[]): { group: RoledGroup } | { problem: Problem } {
    const [one, ...more] = networks;
    if (one !== undefined && networks.length >= least && networks.length <= most)
      return { group: { ...group, networks: [one, ...more], ancestor } };
    const count =
      most === least ? `${least}` : most === Infinity ? `at least ${least}` : `${least} to ${most}`;
    const beside = ancestor === undefined ? "" : " beside the base";
    const path = [...group.path, group.isSlice ? "sources" : "models"];
    const text = `must have ${count} ${most === 1 ? "network" : "networks"}${beside} for ${method.name}: it has ${networks.length}`;
    return { problem: { path, text } };
  }
}

/**
 * Checks whether the base of a recipe has no effect with a method, so that {@link assignRoles} refuses it.
 */
export function hasIdleBase(groups: readonly Group[], method: MergeMethod): boolean {
  return groups.some((group) => {
    const assigned = assignRoles(group, method);
    return (
      method.networks.base === "none" && "problem" in assigned && assigned.problem.path === group.base?.path
    );
  });
}

/** Puts the base beside the sources of a slice that does not list it, with the layers of the first source. */
function baseBeside(base: Member, [first]: readonly Member[]): Member {
  return { ...base, range: first?.range };
}
