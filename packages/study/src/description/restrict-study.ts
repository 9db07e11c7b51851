import { InputError } from "@isthmus/core";
import { listValues, type VariableValue } from "@isthmus/forms";
import type { StudyDescription } from "./study-description.ts";

/** Variables of an entry of a study; its other keys do not matter here. */
interface WithRanges {
  readonly for?: Readonly<Record<string, readonly VariableValue[] | string>>;
}

/** Values that remain of a variable, over all entries of a study. */
interface Remaining {
  readonly values: Set<VariableValue>;
  /** Whether an entry has lost some values of the variable. */
  narrowed: boolean;
}

/**
 * Makes a part of a study: every group with one of the variables is made for some of its values only. Tasks
 * keep their keys, so that the parts of a study can be run one after the other in one folder, and then the
 * whole. The `only` of the part lists the remaining values of each variable that lost some.
 * | @param only - values to keep, as text, by name of the variable
 * @throws InputError if no entry has a value that is to be kept, or a group would keep none
 */
export function restrictStudy(
  study: StudyDescription,
  only: Readonly<Record<string, readonly string[]>>,
): StudyDescription {
  const chosen = new Map(Object.entries(only));
  const remaining = new Map([...chosen.keys()].map((variable) => [variable, noneYet()]));
  const restrict = <T extends WithRanges>(entries: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(
      Object.entries(entries).map(([name, entry]) => [
        name,
        restrictEntry(name, entry, { chosen, remaining }),
      ]),
    );
  const networks = restrict(study.networks);
  const measurements = restrict(study.measurements);
  const variables = listVariables(study);
  for (const [variable, texts] of chosen) {
    assertValues(variable, texts, { left: remaining.get(variable), variables });
  }
  const part = [...remaining].flatMap(([variable, { values, narrowed }]) =>
    narrowed ? [[variable, [...values]] as const] : [],
  );
  return {
    ...study,
    ...(part.length > 0 && { only: { ...study.only, ...Object.fromEntries(part) } }),
    networks,
    measurements,
  };
}

/** Lists the names of all variables of a study, each once. */
function listVariables({ networks, measurements }: StudyDescription): string[] {
  const entries: WithRanges[] = [...Object.values(networks), ...Object.values(measurements)];
  return [...new Set(entries.flatMap((entry) => Object.keys(entry.for ?? {})))];
}

const noneYet = (): Remaining => ({ values: new Set(), narrowed: false });

function restrictEntry<T extends WithRanges>(
  name: string,
  entry: T,
  {
    chosen,
    remaining,
  }: {
    readonly chosen: ReadonlyMap<string, readonly string[]>;
    readonly remaining: ReadonlyMap<string, Remaining>;
  },
): T {
  if (entry.for === undefined) return entry;
  const ranges = Object.entries(entry.for).map(([variable, range]) => {
    const [texts, left] = [chosen.get(variable), remaining.get(variable)];
    if (texts === undefined || left === undefined) return [variable, range] as const;
    const what = `${name}.for.${variable}`;
    const all = listValues({ name: what, of: "study" }, range);
    const values = keep(what, all, texts);
    for (const value of values) left.values.add(value);
    left.narrowed ||= values.length < all.length;
    return [variable, values] as const;
  });
  return { ...entry, for: Object.fromEntries(ranges) };
}

function keep(
  what: string,
  values: readonly VariableValue[],
  chosen: readonly string[],
): readonly VariableValue[] {
  const remaining = values.filter((value) => chosen.includes(String(value)));
  if (remaining.length > 0) return remaining;
  throw new InputError(
    `Cannot restrict the study as "${what}" must keep a value: ${chosen.join(", ")} is none of ${values.join(", ")}`,
    { input: what },
  );
}

function assertValues(
  variable: string,
  chosen: readonly string[],
  { left, variables }: { readonly left: Remaining | undefined; readonly variables: readonly string[] },
): void {
  const present = [...(left?.values ?? [])].map(String);
  const unknown = chosen.find((value) => !present.includes(value));
  if (unknown === undefined) return;
  throw new InputError(
    present.length === 0
      ? `Cannot restrict the study by "${variable}" as it must be one of its variables: they are ${variables.join(", ")}`
      : `Cannot restrict the study as "${variable}" must have the value somewhere: ${unknown} is none of ${present.join(", ")}`,
    { input: variable },
  );
}
