import { InputError } from "@isthmus/core";
import type { StudyDescription, VariableValue } from "./study-description.ts";
import { listValues } from "./unfold.ts";

type Ranges = Readonly<Record<string, readonly VariableValue[] | string>>;

/**
 * A part of a study: what has a variable of a name is made for some of its values only. Tasks keep their keys, so that the parts of
 * a study can be run one after the other in one folder, and then the whole.
 *
 * @param only - values to keep, as text, by name of the variable; each must be a value somewhere, and every group must keep one
 * @throws InputError if not
 */
export function restrictStudy(
  study: StudyDescription,
  only: Readonly<Record<string, readonly string[]>>,
): StudyDescription {
  const kept = new Map(Object.keys(only).map((variable) => [variable, new Set<string>()]));
  const restrict = <T extends { readonly for?: Ranges }>(
    entries: Readonly<Record<string, T>>,
  ): Record<string, T> =>
    Object.fromEntries(
      Object.entries(entries).map(([name, entry]) => {
        if (entry.for === undefined) return [name, entry];
        const ranges = Object.entries(entry.for).map(([variable, range]) => {
          const wanted = Object.hasOwn(only, variable) ? only[variable] : undefined;
          if (wanted === undefined) return [variable, range] as const;
          const values = keep(`${name}.for.${variable}`, range, wanted);
          for (const value of values) kept.get(variable)?.add(String(value));
          return [variable, values] as const;
        });
        return [name, { ...entry, for: Object.fromEntries(ranges) }];
      }),
    );
  const networks = restrict(study.networks);
  const measurements = restrict(study.measurements);
  for (const [variable, wanted] of Object.entries(only)) {
    const unknown = wanted.find((value) => !kept.get(variable)?.has(value));
    if (unknown === undefined) continue;
    throw new InputError(
      `Cannot restrict the study as a variable "${variable}" must have the value somewhere: ${unknown} is none`,
      { input: variable },
    );
  }
  return { ...study, networks, measurements };
}

function keep(
  what: string,
  range: readonly VariableValue[] | string,
  wanted: readonly string[],
): readonly VariableValue[] {
  const values = listValues(what, range);
  const kept = values.filter((value) => wanted.includes(String(value)));
  if (kept.length > 0) return kept;
  throw new InputError(
    `Cannot restrict the study as "${what}" must keep a value: ${wanted.join(", ")} is none of ${values.join(", ")}`,
    { input: what },
  );
}
