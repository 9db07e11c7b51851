import { excerpt, type Field, type Form, findMisfit, type UsageError } from "@isthmus/core";

/**
 * Names that command lines and entries of studies use already, for subjects, examples and the places of
 * results.
 */
export const TAKEN_OPTIONS: ReadonlySet<string> = new Set(
  [
    "kind of where for title between across choose align match restarts data statisticsData graph engine",
    "json quiet output report journal use help helpAll version device verbose",
    "mean std input outputs logits loss prefix unread exportedFrom recalibrateData recalibrateExamples",
    "alignment method normalize search memory only skip heads",
    "matchData matchExamples matchSteps matchBatch matchRate matchAt matchEnds matchUnits matchRule",
  ].flatMap((line) => line.split(" ")),
);

/** Pattern of the names of options in code and in entries of studies. */
export const OPTION_NAME: RegExp = /^[a-z][A-Za-z0-9]*$/;

const FORMS: ReadonlySet<unknown> = new Set<Form["type"]>([
  "whole",
  "number",
  "choice",
  "list",
  "group",
  "object",
  "record",
  "special",
  "text",
  "flag",
  "seed",
  "range",
]);

/** Names that options cannot have. */
export interface TakenOptions {
  /** Names in use, in camel case. */
  readonly names: ReadonlySet<string>;
  /** Words for the owner of these names in messages, such as `every measurement`. */
  readonly by: string;
}

/**
 * Checks that options are well formed: names that are free, fields with help and a form, defaults that fit.
 * @param refuse - makes the error of a problem
 * @throws the error that `refuse` makes if an option is malformed
 */
export function assertOwnFields(
  options: Readonly<Record<string, unknown>>,
  taken: TakenOptions,
  refuse: (problem: string) => UsageError,
): void {
  for (const [name, field] of Object.entries(options)) {
    const problem = problemOf(name, field, taken);
    if (problem !== undefined) throw refuse(problem);
    const { requires, excludes = [] } = field as Field<unknown>;
    const stranger = [requires, ...excludes].find((other) => other !== undefined && !(other in options));
    if (stranger !== undefined)
      throw refuse(`"options.${name}" names another option, and there is no "${stranger}"`);
  }
}

function problemOf(name: string, value: unknown, { names, by }: TakenOptions): string | undefined {
  const what = `"options.${name}"`;
  if (!OPTION_NAME.test(name)) return `${what} must have a name like stepSize, of letters and digits`;
  const field = Object(value) as Partial<Field<unknown>>;
  const flag = field.flag?.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  const taken = [name, flag].find((one) => one !== undefined && names.has(one));
  if (taken !== undefined) return `${what} must have another name: ${by} has "${taken}" for something else`;
  if (!FORMS.has(field.form?.type))
    return `${what} must be a field, made by numberField, wholeField, choiceField or their like: it is ${excerpt(value)}`;
  if (typeof field.help !== "string" || field.help.trim() === "")
    return `${what} must have a "help" that says what it decides`;
  if (field.flag !== undefined && !/^[a-z][a-z0-9-]*$/.test(field.flag))
    return `${what} must have a flag of lower-case letters, digits and hyphens: it is ${excerpt(field.flag)}`;
  const misfit =
    field.default === undefined || field.form === undefined
      ? undefined
      : findMisfit(field.form, field.default);
  return misfit && `${what} must have a default that is ${misfit.rule}: it is ${excerpt(misfit.value)}`;
}
