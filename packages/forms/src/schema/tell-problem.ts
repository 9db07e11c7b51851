/** A problem that a schema found in a value, as zod describes it. */
export interface SchemaProblem {
  /** Code of the problem: `too_small`, `invalid_type`, ... */
  readonly code?: string;
  /** Sentence of zod about the problem, used as the text if no other field says more. */
  readonly message: string;
  /** Least allowed number, count of entries or count of characters; absent unless a value is too small. */
  readonly minimum?: number | bigint;
  /** Largest allowed number, count of entries or count of characters; absent unless a value is too big. */
  readonly maximum?: number | bigint;
  /** Whether the bound itself is allowed. */
  readonly inclusive?: boolean;
  /** Kind of the value that has a bound. */
  readonly origin?: string;
  /** Allowed choices, none of which is the value. */
  readonly options?: readonly unknown[];
}

/** Words for kinds of values in messages. */
const WORDS: Readonly<Record<string, string>> = {
  object: "a mapping of keys to values",
  record: "a mapping of keys to values",
  array: "a list",
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  null: "empty",
  NaN: "not a number",
};

/**
 * Describes a problem of a value of a file in plain words, such as `"rounds" must be at least 1`.
 * @param path - path of the value in the file
 * @param issue - the problem by the schema; unknown keys are left to the caller
 */
export function tellProblem(path: readonly PropertyKey[], issue: SchemaProblem): string {
  const name = path.length === 0 ? "the file" : `"${path.map(String).join(".")}"`;
  const { message } = issue;
  if (/received undefined$/.test(message)) return `${name} is missing`;
  if (issue.code === "too_small" || issue.code === "too_big") return `${name} must ${boundOf(issue)}`;
  if (issue.code === "invalid_union" && issue.options !== undefined) {
    return `${name} must be one of ${issue.options.join(", ")}`;
  }
  const [, expected, received] = /^Invalid input: expected (\w+), received (\w+)$/.exec(message) ?? [];
  if (expected !== undefined && received !== undefined) {
    return `${name} must be ${WORDS[expected] ?? expected}: it is ${WORDS[received] ?? received}`;
  }
  return `${name} ${message.replace(/^Invalid (option|input): (expected )?/, "must be ")}`;
}

function boundOf(issue: SchemaProblem): string {
  const isLeast = issue.code === "too_small";
  const bound = String(isLeast ? issue.minimum : issue.maximum);
  const least = isLeast ? "at least" : "at most";
  if (issue.origin === "array") return `have ${least} ${bound} ${bound === "1" ? "entry" : "entries"}`;
  if (issue.origin === "string")
    return `have ${least} ${bound} ${bound === "1" ? "character" : "characters"}`;
  return `be ${issue.inclusive === false ? (isLeast ? "above" : "below") : least} ${bound}`;
}
