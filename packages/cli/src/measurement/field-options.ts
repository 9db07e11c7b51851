import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { type AnyField, assertTogether, at, type Form, findMisfit } from "@isthmus/core";
import { InvalidArgumentError } from "commander";
import { addRareOptions } from "../options/help-groups.ts";
import {
  parseNames,
  parseNumber,
  parseNumbers,
  parseRange,
  parseSeed,
  parseWord,
} from "../options/parse-values.ts";
import { toAttribute, toFlag } from "./flag-names.ts";

/** Fields by the names of their options. */
export type Fields = Readonly<Record<string, AnyField>>;

/** A field with the name of its option on a command line. */
export interface FlaggedField {
  /** Path of the option, such as `["sharpness", "radius"]` for an option of a group. */
  readonly path: readonly [name: string, ...rest: string[]];
  /** Name on a command line, such as `sharpness-radius`. */
  readonly flag: string;
  /** Form, default and help of the option. */
  readonly field: AnyField;
}

/** Lists the fields of a measurement with their flags: each group, then the options in it. */
export function listFlagged(fields: Fields): readonly FlaggedField[] {
  return Object.entries(fields).flatMap(([name, field]): FlaggedField[] => {
    if (field.tasksOnly) return [];
    const flag = field.flag ?? toFlag(name);
    const whole: FlaggedField = { path: [name], flag, field };
    if (field.form.type !== "group") return [whole];
    const { lead } = field.form;
    const inner = Object.entries(field.form.fields).filter(([part]) => part !== lead);
    return [
      whole,
      ...inner.map(([part, partField]): FlaggedField => {
        return { path: [name, part], flag: partField.flag ?? `${flag}-${toFlag(part)}`, field: partField };
      }),
    ];
  });
}

/** Adds an option for every field, unless the command has one of that name already. */
export function addFieldOptions(command: CommandUnknownOpts, fields: Fields): void {
  for (const { path, flag, field } of listFlagged(fields)) {
    if (command.options.some((option) => option.long === `--${flag}`)) continue;
    const option = path.length > 1 ? innerOption(flag, field) : optionOf(flag, field);
    if (field.rare) addRareOptions(command, (rare) => rare.addOption(option));
    else command.addOption(option);
  }
}

function optionOf(flag: string, field: AnyField): Option {
  const { help, form, default: missing } = field;
  if (form.type === "flag") {
    return missing === true ? new Option(`--no-${flag}`, `do not ${help}`) : new Option(`--${flag}`, help);
  }
  const { placeholder = placeholderOf(form), bare } = field;
  if (placeholder === "" && bare !== undefined) return new Option(`--${flag}`, help).preset(bare);
  const option = new Option(
    `--${flag} ${bare === undefined ? placeholder : optional(placeholder)}`.trim(),
    help,
  );
  if (form.type === "choice") option.choices(form.values);
  // A list that is given replaces the default: only further lists of the command line are added.
  else
    option.argParser((text: string, before: unknown) =>
      parseValue(field, text, before === missing ? undefined : before),
    );
  if (bare !== undefined) option.preset(wordsOf(bare));
  return isNothing(missing) || form.type === "group" ? option : option.default(missing, wordsOf(missing));
}

/** Makes an option of a group. It has no default of its own: without the group, it does nothing. */
function innerOption(flag: string, field: AnyField): Option {
  const { help, default: missing } = field;
  const words = missing === undefined ? help : `${help} (default: ${wordsOf(missing)})`;
  return optionOf(flag, { ...field, help: words, default: undefined });
}

/** Checks whether a default need not be named: there is none, or it is an empty list. */
const isNothing = (missing: unknown): boolean =>
  missing === undefined || (Array.isArray(missing) && missing.length === 0);

const optional = (placeholder: string): string => placeholder.replace("<", "[").replace(">", "]");

/** Writes a default for the help: an object of several kinds by its kind. */
export function wordsOf(value: unknown): string {
  if (Array.isArray(value)) return value.join(",");
  const { kind } = Object(value);
  return String(kind ?? value);
}

/** Returns the placeholder for a value of a form in the help. */
function placeholderOf(form: Form): string {
  switch (form.type) {
    case "whole":
    case "seed":
      return "<n>";
    case "number":
      return "<x>";
    case "list":
      return form.of.type === "text" ? "<names>" : "<list>";
    case "group":
      return form.lead === undefined ? "" : `[${form.lead}]`;
    case "choice":
      return "<choice>";
    default:
      return "<text>";
  }
}

/**
 * Parses the word of a command line, and checks that it is a value of the field.
 * @param before - earlier value of the same option
 * @throws InvalidArgumentError if it is no such value; commander names the option
 */
function parseValue({ form, parse }: AnyField, text: string, before: unknown): unknown {
  if (form.type === "group") {
    const field = form.lead === undefined ? undefined : form.fields[form.lead];
    return field === undefined ? {} : { [String(form.lead)]: parseValue(field, text, undefined) };
  }
  const value = parse === undefined ? readWord(form, text, before) : parseWord(parse, text);
  const misfit = findMisfit(form, value);
  if (misfit === undefined) return value;
  throw new InvalidArgumentError(`It must be ${misfit.rule}.`);
}

function readWord(form: Form, text: string, before: unknown): unknown {
  switch (form.type) {
    case "seed":
      return parseSeed(text);
    case "whole":
      return /^\d+$/.test(text) ? Number(text) : text;
    case "number":
      return parseNumber(text);
    case "range":
      return parseRange(text);
    case "list":
      if (form.of.type === "number" || form.of.type === "whole") return parseNumbers(text);
      return parseNames(text, Array.isArray(before) ? before : []);
    default:
      return text;
  }
}

/**
 * Reads the options of a measurement that a command line gives; the ones that it leaves out are missing.
 * @param attempt - verb phrase for messages
 * @throws UsageError if an option belongs to another that is missing, or excludes one that is given
 */
export function readFields(
  attempt: string,
  command: CommandUnknownOpts,
  fields: Fields,
): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  const named: string[] = [];
  for (const { path, flag, field } of listFlagged(fields)) {
    const key = toAttribute(flag);
    if (command.getOptionValueSource(key) !== "cli") continue;
    const value = command.getOptionValue(key);
    const [name, part] = path;
    const isGroup = part === undefined && field.form.type === "group";
    named.push(path.join("."));
    if (part === undefined) values[name] = isGroup && value === true ? {} : value;
    else values[name] = { ...Object(values[name]), [part]: value };
  }
  assertTogether(attempt, togetherOf(fields), { named, nameOf: (name) => flagOf(fields, name) });
  return values;
}

/** Adds to each option of a group that it belongs to the group. */
function togetherOf(fields: Fields): Fields {
  const flagged = listFlagged(fields).map(({ path, field }) => {
    const [group] = path;
    return [path.join("."), path.length > 1 ? { ...field, requires: group } : field] as const;
  });
  return Object.fromEntries(flagged);
}

/** Returns the option of a command line for a field, such as `--low-lr`. */
export function flagOf(fields: Fields, name: string): string {
  const flagged = listFlagged(fields).filter(({ path }) => path.join(".") === name);
  return `--${at(flagged, 0, "option").flag}`;
}
