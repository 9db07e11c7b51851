import { listValues, type VariableValue } from "@isthmus/forms";
import { fulfils } from "../description/fulfils.ts";
import type { RepeatedNetwork } from "../description/study-description.ts";
import type { WantedValues } from "../description/wanted-values.ts";
import { makerOf } from "./makers.ts";

/** Values of each variable of a group of networks, by name of the variable. */
export type Ranges = ReadonlyMap<string, readonly VariableValue[]>;

/**
 * Lists the values of the variables of a group, as far as they are known before it is planned: the variables
 * of the group, of the networks that each network is made from, and the one that tells networks of one entry
 * apart.
 */
export function rangesOf(
  name: string,
  repeated: RepeatedNetwork,
  groups: ReadonlyMap<string, Ranges>,
): Ranges {
  const named = Object.entries(repeated.for ?? {}).map(([variable, range]) => {
    return [variable, listValues({ name: `networks.${name}.for.${variable}`, of: "study" }, range)] as const;
  });
  const maker = makerOf(repeated);
  const keys = new Map<string, unknown>(Object.entries(repeated));
  const isFromEach = maker.from === "each";
  const starts = isFromEach ? groups.get(String(keys.get(maker.key))) : undefined;
  const where = keys.get("where") as WantedValues | undefined;
  const made = maker.made?.(repeated);
  return new Map([...restrict(starts, where), ...named, ...(made === undefined ? [] : [made])]);
}

/** Narrows the values of variables to the ones that `where` asks for, which may leave none of a variable. */
export function restrict(ranges: Ranges | undefined, where: WantedValues | undefined): Ranges {
  const narrowed = new Map<string, readonly VariableValue[]>();
  for (const [variable, values] of ranges ?? []) {
    const choice = Object.hasOwn(where ?? {}, variable) ? where?.[variable] : undefined;
    const fits = (value: VariableValue) =>
      choice === undefined || fulfils(() => value, { [variable]: choice });
    narrowed.set(variable, values.filter(fits));
  }
  return narrowed;
}
