import { FAMILIES } from "./families.ts";
import type { PlainOptions } from "./format-spec.ts";
import { formOf } from "./forms.ts";
import { type FamilyName, GRAMMAR } from "./grammar.ts";

/** Describes every short string that makes a network, over several lines, with defaults and examples. */
export function describeNetworks(): string {
  return (Object.keys(GRAMMAR) as FamilyName[]).map(describeFamily).join("\n\n");
}

function describeFamily(family: FamilyName): string {
  const form = GRAMMAR[family];
  const defaults = FAMILIES[family].defaults as PlainOptions;
  const longest = Math.max(...form.fields.map((field) => field.form.length));
  const lines = form.fields.map(({ option, form: text, help }) => {
    const standard = defaults[option];
    const note = standard === undefined || standard === 0 ? "" : ` (${defaultNote(standard)})`;
    return `  ${text.padEnd(longest)}  ${help}${note}`;
  });
  return [formOf(form), `  ${form.help}`, ...lines, `  for example ${form.example}`].join("\n");
}

function defaultNote(value: unknown): string {
  return typeof value === "boolean"
    ? `${value ? "yes" : "no"} if not given`
    : `${String(value)} if not given`;
}
