import type { Form, GroupForm, ListForm, NumberForm, ObjectForm, RecordForm } from "./field.ts";

/** Maximum number of characters of a text; names and paths are shorter. */
const MOST_CHARACTERS = 4096;

/** Describes the values that a form allows, to follow "must be". */
export function ruleOf(form: Form): string {
  switch (form.type) {
    case "whole":
      return form.most === Number.MAX_SAFE_INTEGER
        ? `a whole number of at least ${form.least}`
        : `a whole number from ${form.least} to ${form.most}`;
    case "seed":
      return "a whole number of at least 0";
    case "number":
      return ["a number", ...boundsOf(form)].join(" ");
    case "choice":
      return `one of ${form.values.join(", ")}`;
    case "list":
      return `a list${form.least > 0 ? ` of ${form.least} or more` : ""}, each ${ruleOf(form.of)}`;
    case "group":
      return `an object with any of ${Object.keys(form.fields).join(", ")}`;
    case "object":
      return `an object with ${Object.keys(form.parts).join(", ")}`;
    case "record":
      return `an object, each value ${ruleOf(form.of)}`;
    case "range":
      return "two numbers, the first one smaller";
    case "special":
      return form.rule;
    case "flag":
      return "true or false";
    case "text":
      return `a text of at most ${MOST_CHARACTERS} characters`;
  }
}

function boundsOf({ least, most, above, below }: NumberForm): string[] {
  const bounds = [
    ["above", above],
    ["of at least", least],
    ["below", below],
    ["at most", most],
  ] as const;
  const said = bounds.flatMap(([words, bound]) => (bound === undefined ? [] : [`${words} ${bound}`]));
  return said.length < 2 ? said : [said.join(" and ")];
}

/** A part of a value that violates its form. */
export interface Misfit {
  /** Path of the part below the value, such as `.radius` or `[2]`; empty for the value itself. */
  readonly path: string;
  /** Violated rule, to follow "must be". */
  readonly rule: string;
  /** Part of the value that violates the rule. */
  readonly value: unknown;
}

/** Finds the first part of a value that violates its form; undefined if the value fits. */
export function findMisfit(form: Form, value: unknown, path = ""): Misfit | undefined {
  const parts = partsOf(form, value);
  if (parts === undefined) return { path, rule: ruleOf(form), value };
  for (const [step, part, inner] of parts) {
    const misfit = findMisfit(inner, part, path + step);
    if (misfit !== undefined) return misfit;
  }
  return undefined;
}

type Part = readonly [step: string, value: unknown, form: Form];

/** Lists the parts of a value with their forms; undefined if the value itself does not fit its form. */
function partsOf(form: Form, value: unknown): readonly Part[] | undefined {
  if (form.type === "list") {
    if (!Array.isArray(value) || value.length < form.least) return undefined;
    return value.map((part, index) => [`[${index}]`, part, form.of]);
  }
  if (form.type !== "group" && form.type !== "object" && form.type !== "record") {
    return fits(form, value) ? [] : undefined;
  }
  return isObject(value) ? partsOfObject(form, value) : undefined;
}

function partsOfObject(
  form: GroupForm | ObjectForm | RecordForm,
  value: Readonly<Record<string, unknown>>,
): readonly Part[] | undefined {
  const entries = Object.entries(value).filter(([, part]) => part !== undefined);
  if (form.type === "record") return entries.map(([name, part]) => [`.${name}`, part, form.of]);
  const forms = new Map(
    form.type === "object"
      ? Object.entries(form.parts)
      : Object.entries(form.fields).map(([name, field]) => [name, field.form] as const),
  );
  if (entries.some(([name]) => !forms.has(name))) return undefined;
  // All parts of an object are required, but all parts of a group are optional.
  const names = form.type === "object" ? [...forms.keys()] : entries.map(([name]) => name);
  return names.flatMap((name): Part[] => {
    const inner = forms.get(name);
    return inner === undefined ? [] : [[`.${name}`, value[name], inner]];
  });
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Returns whether a value without parts fits its form. */
function fits(form: Exclude<Form, ListForm | GroupForm | ObjectForm | RecordForm>, value: unknown): boolean {
  switch (form.type) {
    case "whole":
      return isWhole(value) && value >= form.least && value <= form.most;
    case "seed":
      return isWhole(value) && value >= 0;
    case "number":
      return typeof value === "number" && Number.isFinite(value) && isWithin(form, value);
    case "choice":
      return typeof value === "string" && form.values.includes(value);
    case "text":
      return typeof value === "string" && value.length <= MOST_CHARACTERS;
    case "special":
      return form.accepts(value);
    case "flag":
      return typeof value === "boolean";
    case "range":
      return (
        Array.isArray(value) && value.length === 2 && value.every(Number.isFinite) && value[0] < value[1]
      );
  }
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);

function isWithin({ least, most, above, below }: NumberForm, value: number): boolean {
  const isHighEnough = (least === undefined || value >= least) && (above === undefined || value > above);
  return isHighEnough && (most === undefined || value <= most) && (below === undefined || value < below);
}
