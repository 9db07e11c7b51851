import { InputError } from "@isthmus/core";
import type { StudyDescription } from "./study-description.ts";
import { listValues } from "./unfold.ts";
import type { VariableValue } from "./variable-values.ts";

/** An entry of a study, as far as its variables go. */
interface WithRanges {
  readonly for?: Readonly<Record<string, readonly VariableValue[] | string>>;
}

/** What a variable still has, of all entries of a study. */
interface Remaining {
  readonly values: Set<VariableValue>;
  /** Whether an entry has lost some. */
  narrowed: boolean;
}

/**
 * Makes a part of a study: what has a variable of a name is made for some of its values only. Tasks keep their keys, so that the
 * parts of a study can be run one after the other in one folder, and then the whole. The part says in `only` which values are left
 * of variables that lost some.
 *
 * @param only - values to keep, as text, by name of the variable; each must be a value somewhere, and every group must keep one
 * @throws InputError if not
 */
export function restrictStudy(
  study: StudyDescription,
  only: Readonly<Record<string, readonly string[]>>,
): StudyDescription {
  const wanted = new Map(Object.entries(only));
  const remaining = new Map([...wanted.keys()].map((variable) => [variable, noneYet()]));
  const restrict = <T extends WithRanges>(entries: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(
      Object.entries(entries).map(([name, entry]) => [
        name,
        restrictEntry(name, entry, { wanted, remaining }),
      ]),
    );
  const networks = restrict(study.networks);
  const measurements = restrict(study.measurements);
  const variables = listVariables(study);
  for (const [variable, texts] of wanted) {
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

/** Names of all variables of a study, each once. */
function listVariables({ networks, measurements }: StudyDescription): string[] {
  const entries: WithRanges[] = [...Object.values(networks), ...Object.values(measurements)];
  return [...new Set(entries.flatMap((entry) => Object.keys(entry.for ?? {})))];
}

const noneYet = (): Remaining => ({ values: new Set(), narrowed: false });

function restrictEntry<T extends WithRanges>(
  name: string,
  entry: T,
  {
    wanted,
    remaining,
  }: {
    readonly wanted: ReadonlyMap<string, readonly string[]>;
    readonly remaining: ReadonlyMap<string, Remaining>;
  },
): T {
  if (entry.for === undefined) return entry;
  const ranges = Object.entries(entry.for).map(([variable, range]) => {
    const [texts, left] = [wanted.get(variable), remaining.get(variable)];
    if (texts === undefined || left === undefined) return [variable, range] as const;
    const what = `${name}.for.${variable}`;
    const all = listValues(what, range);
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
  wanted: readonly string[],
): readonly VariableValue[] {
  const kept = values.filter((value) => wanted.includes(String(value)));
  if (kept.length > 0) return kept;
  throw new InputError(
    `Cannot restrict the study as "${what}" must keep a value: ${wanted.join(", ")} is none of ${values.join(", ")}`,
    { input: what },
  );
}

function assertValues(
  variable: string,
  wanted: readonly string[],
  { left, variables }: { readonly left: Remaining | undefined; readonly variables: readonly string[] },
): void {
  const known = [...(left?.values ?? [])].map(String);
  const unknown = wanted.find((value) => !known.includes(value));
  if (unknown === undefined) return;
  throw new InputError(
    known.length === 0
      ? `Cannot restrict the study by "${variable}" as it must be one of its variables: they are ${variables.join(", ")}`
      : `Cannot restrict the study as "${variable}" must have the value somewhere: ${unknown} is none of ${known.join(", ")}`,
    { input: variable },
  );
}
