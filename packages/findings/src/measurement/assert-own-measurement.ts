import { closestName, excerpt, UsageError } from "@isthmus/core";
import { assertOwnFields } from "./assert-own-fields.ts";
import { OWN_SUBJECTS } from "./own-result.ts";

/** What a part of a definition must be, to follow "must be", and whether a value is that. */
interface Rule {
  readonly rule: string;
  readonly holds: (value: unknown) => boolean;
  readonly optional?: true;
}

const KEBAB = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const isText = (value: unknown): value is string => typeof value === "string" && value.trim() !== "";
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const WORDS: Rule = {
  rule: "lower-case words with hyphens between them, such as gradient-norm",
  holds: (value) => isText(value) && KEBAB.test(value),
};
const FUNCTION: Rule = { rule: "a function", holds: (value) => typeof value === "function" };
const LATER: Rule = { ...FUNCTION, optional: true };
const OBJECT: Rule = { rule: "an object", holds: isObject, optional: true };
const TEXT: Rule = { rule: "a text", holds: isText };

/** Rules of the parts of a definition; whether options are well formed is checked apart. */
const RULES: Readonly<Record<string, Rule>> = {
  verb: WORDS,
  kind: WORDS,
  summary: {
    rule: "one line that says what it does, for help",
    holds: (value) => isText(value) && !value.includes("\n"),
  },
  subject: {
    rule: `one of ${OWN_SUBJECTS.join(", ")}`,
    holds: (value) => OWN_SUBJECTS.some((subject) => subject === value),
  },
  run: FUNCTION,
  options: { ...OBJECT, rule: "an object with a field for each option, made by numberField and its like" },
  version: {
    rule: "a whole number from 1",
    holds: (value) => Number.isSafeInteger(value) && Number(value) >= 1,
    optional: true,
  },
  attempt: { ...TEXT, optional: true },
  networks: { ...TEXT, optional: true },
  examples: {
    rule: "a list of pairs: the options of a command line, and its purpose",
    holds: (value) =>
      Array.isArray(value) && value.every((pair) => Array.isArray(pair) && pair.every(isText)),
    optional: true,
  },
  examplesBeside: OBJECT,
  journal: {
    rule: 'an object with "keeps", what it keeps, and "file", the name of a file without a folder',
    holds: (value) => isObject(value) && isText(value["keeps"]) && isFileName(value["file"]),
    optional: true,
  },
  pairs: {
    rule: 'an object with "note", what workers do, "options", a field for each, and the functions "evaluations" and "run"',
    holds: (value) =>
      isObject(value) &&
      isText(value["note"]) &&
      isObject(value["options"]) &&
      [value["evaluations"], value["run"]].every(FUNCTION.holds),
    optional: true,
  },
  complete: LATER,
  describe: LATER,
  titleOf: LATER,
  form: LATER,
  recordOf: LATER,
};

const isFileName = (value: unknown): boolean => isText(value) && /^[\w-][\w.-]*$/.test(value);

/**
 * Checks that a value is a measurement as a user defines one. It may come from JavaScript, which no compiler
 * has checked.
 * @throws UsageError if something is missing, is not what it must be, or is unknown
 */
export function assertOwnMeasurement(definition: unknown): void {
  if (!isObject(definition)) throw refuse(`it must be an object: it is ${excerpt(definition)}`);
  for (const [name, { rule, holds, optional }] of Object.entries(RULES)) {
    const value = definition[name];
    if (value === undefined && optional) continue;
    if (value === undefined) throw refuse(`"${name}" is missing: it must be ${rule}`);
    if (!holds(value)) throw refuse(`"${name}" must be ${rule}: it is ${excerpt(value)}`);
  }
  const names = Object.keys(RULES);
  const unknown = Object.keys(definition).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const near = closestName(unknown, names);
    throw refuse(
      `it has no "${unknown}": ${near === undefined ? `known are ${names.join(", ")}` : `did you mean "${near}"?`}`,
    );
  }
  if (definition["pairs"] !== undefined && definition["subject"] !== "networks")
    throw refuse(
      `"pairs" must be left out unless the subject is "networks": it is "${definition["subject"]}"`,
    );
  assertOwnFields(isObject(definition["options"]) ? definition["options"] : {}, refuse);
}

function refuse(problem: string): UsageError {
  return new UsageError(`Cannot define a measurement as ${problem}`);
}
