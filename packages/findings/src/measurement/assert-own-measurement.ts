import {
  assertDefinition,
  isObject,
  isText,
  optional,
  RULES_OF_PARTS,
  type Rule,
  refusalOf,
  wordsRule,
} from "../own/assert-definition.ts";
import { assertOwnFields, TAKEN_OPTIONS } from "./assert-own-fields.ts";
import { OWN_SUBJECTS } from "./own-result.ts";

const WORDS = wordsRule("gradient-norm");
const LATER = optional(RULES_OF_PARTS.function);

/** Rules of the parts of a definition; whether options are well formed is checked apart. */
const RULES: Readonly<Record<string, Rule>> = {
  verb: WORDS,
  kind: WORDS,
  summary: RULES_OF_PARTS.summary,
  subject: {
    rule: `one of ${OWN_SUBJECTS.join(", ")}`,
    holds: (value) => OWN_SUBJECTS.some((subject) => subject === value),
  },
  run: RULES_OF_PARTS.function,
  needsData: optional(RULES_OF_PARTS.flag),
  options: optional(RULES_OF_PARTS.options),
  version: optional(RULES_OF_PARTS.version),
  attempt: optional(RULES_OF_PARTS.text),
  isOnLine: optional(RULES_OF_PARTS.flag),
  networks: optional(RULES_OF_PARTS.text),
  examples: optional(RULES_OF_PARTS.commands),
  examplesBeside: optional(RULES_OF_PARTS.object),
  journal: optional({
    rule: 'an object with "keeps", what it keeps, and "file", the name of a file without a folder',
    holds: (value) => isObject(value) && isText(value["keeps"]) && isFileName(value["file"]),
  }),
  pairs: optional({
    rule: 'an object with "note", what workers do, "options", a field for each, and the functions "evaluations" and "run"',
    holds: (value) =>
      isObject(value) &&
      isText(value["note"]) &&
      isObject(value["options"]) &&
      [value["evaluations"], value["run"]].every(RULES_OF_PARTS.function.holds),
  }),
  complete: LATER,
  describe: LATER,
  titleOf: LATER,
  form: LATER,
  recordOf: LATER,
};

const isFileName = (value: unknown): boolean => isText(value) && /^[\w-][\w.-]*$/.test(value);

/**
 * Checks that a value is a measurement as a user defines one.
 * @throws UsageError if a part is missing, unknown or malformed
 */
export function assertOwnMeasurement(definition: unknown): void {
  const what = "a measurement";
  assertDefinition(what, definition, RULES);
  const { options, pairs, subject, needsData } = definition;
  const refuse = refusalOf(what);
  if (pairs !== undefined && subject !== "networks")
    throw refuse(`"pairs" must be left out unless the subject is "networks": it is "${subject}"`);
  const needing = ["pairs", "examplesBeside", "complete"].find((part) => definition[part] !== undefined);
  if (needsData === false && needing !== undefined)
    throw refuse(`"${needing}" must be left out if "needsData" is false, as it is for examples`);
  const taken = { names: TAKEN_OPTIONS, by: "every measurement" };
  assertOwnFields(isObject(options) ? options : {}, taken, refuse);
}
