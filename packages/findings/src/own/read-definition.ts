import { closestName, excerpt, UsageError } from "@isthmus/core";

/** Rule of a part of a definition: words that follow "must be", and a check of a value. */
export interface Rule {
  /** Words that follow "must be" in messages. */
  readonly rule: string;
  /** Check whether a value obeys the rule. */
  readonly holds: (value: unknown) => boolean;
  /** Mark of a part that may be left out; absent if the part is required. */
  readonly optional?: true;
}

const KEBAB = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** Checks whether a value is a text that is not blank. */
export const isText = (value: unknown): value is string => typeof value === "string" && value.trim() !== "";

/** Checks whether a value is an object with keys, and not a list. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Makes the rule of a name of commands, results or tasks. */
export const wordsRule = (example: string): Rule => ({
  rule: `lower-case words with hyphens between them, such as ${example}`,
  holds: (value) => isText(value) && KEBAB.test(value),
});

type PartName = "summary" | "function" | "version" | "text" | "flag" | "options" | "object" | "commands";

/** Rules of parts that definitions of several sorts have. */
export const RULES_OF_PARTS: Readonly<Record<PartName, Rule>> = {
  summary: {
    rule: "one line that says what it does, for help",
    holds: (value) => isText(value) && !value.includes("\n"),
  },
  function: { rule: "a function", holds: (value) => typeof value === "function" },
  version: {
    rule: "a whole number from 1",
    holds: (value) => Number.isSafeInteger(value) && Number(value) >= 1,
  },
  text: { rule: "a text", holds: isText },
  flag: { rule: "true or false", holds: (value) => typeof value === "boolean" },
  options: {
    rule: "an object with a field for each option, made by numberField and its like",
    holds: isObject,
  },
  object: { rule: "an object", holds: isObject },
  commands: {
    rule: "a list of pairs: the options of a command line, and its purpose",
    holds: (value) =>
      Array.isArray(value) && value.every((pair) => Array.isArray(pair) && pair.every(isText)),
  },
};

/** Makes a rule of a part that a definition may leave out. */
export const optional = (rule: Rule): Rule => ({ ...rule, optional: true });

/** Rules of parts that definitions of several sorts may have. */
export const OPTIONAL_PARTS: Readonly<Record<PartName, Rule>> = {
  summary: optional(RULES_OF_PARTS.summary),
  function: optional(RULES_OF_PARTS.function),
  version: optional(RULES_OF_PARTS.version),
  text: optional(RULES_OF_PARTS.text),
  flag: optional(RULES_OF_PARTS.flag),
  options: optional(RULES_OF_PARTS.options),
  object: optional(RULES_OF_PARTS.object),
  commands: optional(RULES_OF_PARTS.commands),
};

/** Definition whose parts are well formed. */
export interface ReadDefinition {
  /** Definition as an object, whose parts were checked one by one. */
  readonly definition: Readonly<Record<string, unknown>>;
  /** Makes the error of a problem in the definition. */
  readonly refuse: (problem: string) => UsageError;
}

/**
 * Reads a definition as a user writes one. It may come from JavaScript, which no compiler has checked.
 * @param what - words for the definition, such as `a measurement`
 * @throws UsageError if a part is missing, unknown or malformed
 */
export function readDefinition(
  what: string,
  definition: unknown,
  rules: Readonly<Record<string, Rule>>,
): ReadDefinition {
  const refuse = (problem: string) => new UsageError(`Cannot define ${what} as ${problem}`);
  if (!isObject(definition)) throw refuse(`it must be an object: it is ${excerpt(definition)}`);
  for (const [name, { rule, holds, optional: mayMiss }] of Object.entries(rules)) {
    const value = definition[name];
    if (value === undefined && mayMiss) continue;
    if (value === undefined) throw refuse(`"${name}" is missing: it must be ${rule}`);
    if (!holds(value)) throw refuse(`"${name}" must be ${rule}: it is ${excerpt(value)}`);
  }
  const names = Object.keys(rules);
  const unknown = Object.keys(definition).find((name) => !names.includes(name));
  if (unknown === undefined) return { definition, refuse };
  const near = closestName(unknown, names);
  throw refuse(
    `it has no "${unknown}": ${near === undefined ? `known are ${names.join(", ")}` : `did you mean "${near}"?`}`,
  );
}
