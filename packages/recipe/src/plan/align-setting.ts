import type { Problem } from "../recipe/problem.ts";
import type { AlignSetting } from "../recipe/recipe.ts";
import { keyOf, type Member } from "./groups.ts";
import { membersOf, type RoledGroup } from "./roles.ts";

/** Returns the settings by which a network is aligned, also for short forms such as `true` and `universe`. */
export function settingOf({ align }: Pick<Member, "align">): AlignSetting {
  if (align === "universe") return { many: "best" };
  return typeof align === "object" ? align : {};
}

/** Returns the setting of a network, and the networks of its group that are aligned together with it. */
export function alignmentOf(
  member: Member,
  group: RoledGroup,
): { readonly setting: AlignSetting; readonly companions: readonly Member[] } {
  const setting = settingOf(member);
  return { setting, companions: setting.many === undefined ? [member] : alignedTogether(group, member) };
}

/** Lists the networks of a group that are aligned together with one member, which is included; each once. */
function alignedTogether(group: RoledGroup, one: Member): readonly Member[] {
  const members = new Map<string, Member>();
  for (const member of membersOf(group)) {
    if (!member.align || !isSameSetting(member, one) || members.has(keyOf(member.reference))) continue;
    members.set(keyOf(member.reference), member);
  }
  return [...members.values()];
}

/** Checks whether two networks are aligned by the same setting. */
function isSameSetting(one: Member, other: Member): boolean {
  const entriesOf = (member: Member) => JSON.stringify(Object.entries(settingOf(member)).sort());
  return entriesOf(one) === entriesOf(other);
}

/**
 * Lists problems of the alignment of a group's networks. If one setting has `many`, all networks are aligned
 * together: each aligned network must have the same setting, and without a base only one network may lack
 * `align`; others that keep their units need `align: false`.
 */
export function findAlignProblems(group: RoledGroup): readonly Problem[] {
  const members = membersOf(group);
  const aligned = members.filter((member) => member.align);
  const first = aligned.find((member) => settingOf(member).many !== undefined);
  if (first === undefined) return [];
  const others = aligned.filter((member) => !isSameSetting(first, member));
  const together = "networks are aligned together where one has many";
  const unlike = others.map((member): Problem => {
    const said = JSON.stringify(settingOf(first));
    const text = `must be the same for all, as ${together}: another has ${said}; write that here, or leave out "many" to align each by itself`;
    return { path: [...member.path, "align"], text };
  });
  // A method with a base merges fine-tunes of it, which need no alignment.
  const still = group.ancestor === undefined ? members.filter((member) => !member.align) : [];
  const unsaid = still.slice(1).filter(({ align }) => align === undefined);
  return [
    ...unlike,
    ...unsaid.map(({ path }): Problem => {
      const text = `has no "align", as ${together} and one of them already stays as it is: give it the same "align", or write "align: false" if it has its units in the same order`;
      return { path, text };
    }),
  ];
}
