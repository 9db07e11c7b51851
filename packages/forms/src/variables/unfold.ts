import { excerpt, InputError } from "@isthmus/core";

/** Name of an entry of a file, or of a part of one, for messages. */
export interface EntryPlace {
  /** Keys that lead to it, for example `networks.mlps`. */
  readonly name: string;
  /** Noun for the contents of the file, such as `study`. */
  readonly of: string;
}

/** An entry of a file with one combination of values for its variables. */
export interface Unfolded<T> {
  /** Value of each variable of the entry, by the name of the variable. */
  readonly variables: Variables;
  /** The entry, with values in place of variables. */
  readonly entry: T;
}

/** Largest number of combinations of one entry: a typing error must not fill the memory. */
const MAX_COMBINATIONS = 100_000;

/**
 * Pattern of texts of variables and digits alone, such as `1${run}${member}`, which become numbers if the
 * values are numbers.
 */
const NUMBERS = /^\d*(\$\{[^{}]*\}\d*)+$/;

const WHOLE = /^(0|[1-9]\d{0,14})$/;

const RANGE = /^(\d+)\.\.(\d+)$/;

/** A value that a variable of a file takes. */
export type VariableValue = string | number;

/** Values by name of the variable. */
export type Variables = Readonly<Record<string, VariableValue>>;

/**
 * An entry that is made once for every combination of values of its variables. `${name}` in any of its texts
 * is replaced by the value. A text that consists of one `${name}` becomes the value itself, with its type. A
 * text of variables and digits alone becomes a number if it makes a whole one, and `{ lookup }` becomes the
 * value in its table.
 */
export type Repeated<T> = { readonly [K in keyof T]: Templated<T[K]> } & {
  /**
   * Values of each variable; `"0..16"` means the whole numbers from 0 to 16.
   * @defaultValue none: the entry is made once
   */
  readonly for?: Readonly<Record<string, readonly VariableValue[] | string>>;
};

/** A table with a value for each value of a variable, such as fewer epochs for wider networks. */
interface Lookup {
  /** Name of the variable. */
  readonly variable: string;
  /** Values by value of the variable. */
  readonly values: Readonly<Record<string, VariableValue>>;
}

/** A type with texts or tables in place of values that depend on variables. */
type Templated<T> = T extends string
  ? string | { /** Table that gives the text for each value of a variable. */ readonly lookup: Lookup }
  : T extends number | boolean
    ? T | string | { /** Table that gives the value for each value of a variable. */ readonly lookup: Lookup }
    : { readonly [K in keyof T]: Templated<T[K]> };

/**
 * Makes an entry of a file once for every combination of values of its variables; the last variable changes
 * fastest.
 * @throws InputError if a variable has no values or is not known
 */
export function unfold<T>(place: EntryPlace, repeated: Repeated<T>): Unfolded<T>[] {
  const { for: ranges = {}, ...template } = repeated;
  const lists = Object.entries(ranges).map(([name, range]) => {
    return [name, listValues({ ...place, name: `${place.name}.for.${name}` }, range)] as const;
  });
  const count = lists.reduce((product, [, values]) => product * values.length, 1);
  if (count > MAX_COMBINATIONS) {
    throw reject(place, `it may stand for at most ${MAX_COMBINATIONS}: it stands for ${count}`);
  }
  let combinations: Variables[] = [{}];
  for (const [name, values] of lists) {
    combinations = combinations.flatMap((before) => values.map((value) => ({ ...before, [name]: value })));
  }
  return combinations.map((variables) => ({
    variables,
    entry: fill(template, { place, variables }) as T,
  }));
}

/**
 * Lists the values of a variable, writing out a range.
 * @throws InputError if there are no values, or one occurs twice
 */
export function listValues(
  place: EntryPlace,
  range: readonly VariableValue[] | string,
): readonly VariableValue[] {
  if (typeof range !== "string") {
    if (range.length > 0 && new Set(range).size === range.length) return range;
    throw reject(place, `its values must be one or more, all different: they are [${range.join(", ")}]`);
  }
  const [, first, last] = RANGE.exec(range) ?? [];
  const count = Number(last) - Number(first) + 1;
  if (count >= 1 && count <= MAX_COMBINATIONS) {
    return Array.from({ length: count }, (_, index) => Number(first) + index);
  }
  throw reject(place, `a range must be FIRST..LAST with whole numbers, the smaller first: it is "${range}"`);
}

interface Filling {
  readonly place: EntryPlace;
  readonly variables: Variables;
}

function fill(template: unknown, filling: Filling): unknown {
  if (typeof template === "string") return fillText(template, filling);
  if (Array.isArray(template)) return template.map((part) => fill(part, filling));
  if (typeof template !== "object" || template === null) return template;
  if ("lookup" in template) return lookUp(template.lookup as Lookup, filling);
  return Object.fromEntries(Object.entries(template).map(([key, value]) => [key, fill(value, filling)]));
}

function fillText(text: string, filling: Filling): VariableValue {
  const [, only] = /^\$\{([^{}]*)\}$/.exec(text) ?? [];
  if (only !== undefined) return variableValue(only, filling);
  const filled = text.replace(/\$\{([^{}]*)\}/g, (_, name: string) => String(variableValue(name, filling)));
  return NUMBERS.test(text) && WHOLE.test(filled) ? Number(filled) : filled;
}

function lookUp(lookup: Partial<Lookup> | null, filling: Filling): VariableValue {
  const { variable, values } = lookup ?? {};
  if (typeof variable !== "string" || typeof values !== "object" || values === null) {
    throw reject(filling.place, `"lookup" must have a "variable" and "values": it is ${excerpt(lookup)}`);
  }
  const key = String(variableValue(variable, filling));
  const value = Object.hasOwn(values, key) ? values[key] : undefined;
  if (value !== undefined) return value;
  const choices = Object.keys(values).join(", ");
  throw reject(
    filling.place,
    `"lookup" must have a value for ${variable} ${key}: it has some for ${choices}`,
  );
}

function variableValue(name: string, { place, variables }: Filling): VariableValue {
  const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
  if (value !== undefined) return value;
  const names = Object.keys(variables).join(", ") || "none";
  throw reject(place, `"${name}" must be a variable of "for": there are ${names}`);
}

function reject({ name, of }: EntryPlace, rule: string): InputError {
  return new InputError(`Cannot plan "${name}" of the ${of} as ${rule}`, { input: name });
}
