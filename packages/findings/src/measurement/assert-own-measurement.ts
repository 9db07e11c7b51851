import {
  isObject,
  isText,
  OPTIONAL_PARTS,
  optional,
  RULES_OF_PARTS,
  type Rule,
  readDefinition,
  wordsRule,
} from "../own/read-definition.ts";
import { assertOwnFields, TAKEN_OPTIONS } from "./assert-own-fields.ts";
import { OWN_SUBJECTS } from "./own-result.ts";

const WORDS = wordsRule("gradient-norm");
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
  needsData: OPTIONAL_PARTS.flag,
  options: OPTIONAL_PARTS.options,
  version: OPTIONAL_PARTS.version,
  attempt: OPTIONAL_PARTS.text,
  isOnLine: OPTIONAL_PARTS.flag,
  networks: OPTIONAL_PARTS.text,
  examples: OPTIONAL_PARTS.commands,
  examplesBeside: OPTIONAL_PARTS.object,
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
  complete: OPTIONAL_PARTS.function,
  describe: OPTIONAL_PARTS.function,
  titleOf: OPTIONAL_PARTS.function,
  form: OPTIONAL_PARTS.function,
  recordOf: OPTIONAL_PARTS.function,
};

const isFileName = (value: unknown): boolean => isText(value) && /^[\w-][\w.-]*$/.test(value);

/**
 * Checks that a value is a measurement as a user defines one.
 * @throws UsageError if a part is missing, unknown or malformed
 */
export function assertOwnMeasurement(measurement: unknown): void {
  const { definition, refuse } = readDefinition("a measurement", measurement, RULES);
  const { options, pairs, subject, needsData } = definition;
  if (pairs !== undefined && subject !== "networks")
    throw refuse(`"pairs" must be left out unless the subject is "networks": it is "${subject}"`);
  const needing = ["pairs", "examplesBeside", "complete"].find((part) => definition[part] !== undefined);
  if (needsData === false && needing !== undefined)
    throw refuse(`"${needing}" must be left out if "needsData" is false, as it is for examples`);
  const taken = { names: TAKEN_OPTIONS, by: "every measurement" };
  assertOwnFields(isObject(options) ? options : {}, taken, refuse);
}
