import type { ParameterValue } from "@isthmus/merging";
import type { RecipePlaces } from "../recipe/places.ts";
import type { ReadValue } from "../settings/settings-reader.ts";

/** Values of a parameter in a recipe. */
export interface ExplainedValues {
  /** Name of the parameter in recipes. */
  readonly name: string;
  /**
   * Value of each network in order, or the single value of the merge; undefined if the recipe does not set
   * it.
   */
  readonly values: readonly (ReadValue | undefined)[];
}

/** Formats the values of each parameter that a recipe sets, with their places in the recipe. */
export function explainValues(
  places: RecipePlaces,
  parameters: readonly ExplainedValues[],
): readonly string[] {
  return parameters.flatMap(({ name, values }) => {
    const present = values.filter((value) => value !== undefined);
    if (present.length === 0) return [];
    const texts = values
      .map((value) => (value === undefined ? "default" : formatValue(value.value)))
      .join(", ");
    const described = [...new Set(present.map((value) => describePlace(places, value)))];
    return [`${name} ${texts} (${described.join("; ")})`];
  });
}

/** Rounds a number to 6 digits, for display. */
export function roundShown(value: number): number {
  return Number(value.toPrecision(6));
}

function formatValue(value: ParameterValue): string {
  return String(typeof value === "number" ? roundShown(value) : value);
}

function describePlace(places: RecipePlaces, { path, filter, block, along }: ReadValue): string {
  const parts = [places.format(path).replaceAll('"', "")];
  if (filter !== undefined) parts.push(`filter ${JSON.stringify(filter)}`);
  if (block !== undefined) parts.push(`block ${block}`);
  if (along !== undefined) parts.push(`${Math.round(100 * along)} % along the layers`);
  return parts.join(", ");
}
