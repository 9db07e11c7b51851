import type { UsageError } from "@isthmus/core";
import { assertOwnFields, OPTION_NAME, TAKEN_OPTIONS } from "../measurement/assert-own-fields.ts";
import {
  isObject,
  isText,
  OPTIONAL_PARTS,
  RULES_OF_PARTS,
  type Rule,
  readDefinition,
  wordsRule,
} from "../own/read-definition.ts";
import type { MakerStart } from "./network-maker.ts";

/** Starts that a maker can have: one network, or several. */
const STARTS: readonly MakerStart[] = ["network", "networks"];

/** Rules of the parts of a definition; options and examples are checked apart. */
const RULES: Readonly<Record<string, Rule>> = {
  name: wordsRule("low-rank"),
  summary: RULES_OF_PARTS.summary,
  from: {
    rule: `one of ${STARTS.join(", ")}`,
    holds: (value) => STARTS.some((start) => start === value),
  },
  make: RULES_OF_PARTS.function,
  options: OPTIONAL_PARTS.options,
  examples: OPTIONAL_PARTS.object,
  version: OPTIONAL_PARTS.version,
  attempt: OPTIONAL_PARTS.text,
  does: OPTIONAL_PARTS.text,
  makes: OPTIONAL_PARTS.text,
  needsGraph: OPTIONAL_PARTS.flag,
  resumes: OPTIONAL_PARTS.flag,
  usage: OPTIONAL_PARTS.commands,
  labelOf: OPTIONAL_PARTS.function,
  describe: OPTIONAL_PARTS.function,
  explain: OPTIONAL_PARTS.function,
};

/** Names that commands and entries of studies use already, so that no option of a maker can have them. */
const TAKEN = { names: new Set([...TAKEN_OPTIONS, "resume", "net"]), by: "every network maker" };

/** Names that examples of a maker may have, although no option can have them. */
const OF_EXAMPLES: readonly string[] = ["data", "statisticsData"];

/**
 * Checks that a value is a maker of networks as a user defines one.
 * @throws UsageError if a part is missing, unknown or malformed
 */
export function assertOwnMaker(maker: unknown): void {
  const { definition, refuse } = readDefinition("a network maker", maker, RULES);
  const { options, examples, needsGraph = false } = definition;
  assertOwnFields(isObject(options) ? options : {}, TAKEN, refuse);
  const asked = Object.entries(isObject(examples) ? examples : {});
  for (const [name, value] of asked) assertExamples(name, value, { options, refuse });
  if (asked.length > 0 && needsGraph === false) {
    throw refuse(
      `"needsGraph" must be true if it asks for examples, which are read for a graph: it is false`,
    );
  }
}

interface Definition {
  readonly options: unknown;
  readonly refuse: (problem: string) => UsageError;
}

function assertExamples(name: string, value: unknown, { options, refuse }: Definition): void {
  const what = `"examples.${name}"`;
  if (!OPTION_NAME.test(name)) throw refuse(`${what} must have a name like cueData, of letters and digits`);
  const isTaken = TAKEN.names.has(name) && !OF_EXAMPLES.includes(name);
  if (isTaken || name in Object(options)) {
    throw refuse(`${what} must have another name: there is a "${name}" for something else`);
  }
  if (!isObject(value) || !isText(value["help"]))
    throw refuse(`${what} must be an object with a "help" that says what they are for`);
}
