import { at, FormatError } from "@isthmus/core";
import type { ClientMessage, ServerMessage } from "./messages.ts";

/**
 * An example of the fields of a message: texts, numbers, lists of one shape. A name that ends in "?" is of a
 * field that may be missing.
 */
type Shape = string | number | boolean | readonly [Shape] | { readonly [field: string]: Shape };

const HEAD = { kind: "", session: "" };
const KEYS = { ...HEAD, client: "", cipherKey: "", maskKey: "", "signature?": "", "confirms?": true };
const SIGNED = { client: "", signature: "" };
const SEALED = { from: "", to: "", sealed: "" };
const REVEALED = { of: "", share: "" };
/** Form of each kind of message that comes from a network; other fields are refused. */
const SHAPES: Readonly<Record<(ClientMessage | ServerMessage)["kind"], Shape>> = {
  keys: KEYS,
  roster: { ...HEAD, keys: [KEYS] },
  shares: {
    ...HEAD,
    client: "",
    shares: [SEALED],
    commitments: [{ to: "", maskKey: "", selfMask: "" }],
    selfMaskCommitment: "",
  },
  delivery: { ...HEAD, client: "", shares: [SEALED] },
  masked: { ...HEAD, client: "", words: 0 },
  survivors: { ...HEAD, survivors: [""], "signatures?": [SIGNED] },
  confirm: { ...HEAD, ...SIGNED },
  reveal: { ...HEAD, client: "", selfMasks: [REVEALED], maskKeys: [REVEALED] },
};

/** Largest number of names in a message, and of characters of a name: a hostile server may send millions. */
const MOST_NAMED = 50;

/**
 * Checks that a message belongs to a session, and has all of its fields and no others, as messages are
 * stored.
 * @throws FormatError if the message is of another kind or session, or a field is missing, of another type or
 * unknown
 */
export function assertMessage(
  message: { readonly kind: string; readonly session: string },
  kind: keyof typeof SHAPES,
  session: string,
): void {
  if (message.kind === kind && message.session === session) {
    if (hasShape(message, SHAPES[kind])) return;
    throw new FormatError(
      `Cannot take a message "${kind}" of session "${session}" as it must have all fields of its kind and no others: ` +
        "one is missing, of another type, or unknown",
      { format: "secure sum" },
    );
  }
  throw new FormatError(
    `Cannot take a message "${message.kind}" of session "${message.session}" as the next one must be "${kind}" of ` +
      `session "${session}": it is late, early, or of another round`,
    { format: "secure sum" },
  );
}

/**
 * Checks that a list names exactly the expected clients, each once and in the same order.
 * @param what - description of the list, for the message
 * @throws FormatError if the list does not
 */
export function assertNames(what: string, names: readonly string[], expected: readonly string[]): void {
  if (names.length === expected.length && names.every((name, i) => name === at(expected, i))) return;
  throw new FormatError(
    `Cannot take ${what} as it must name ${list(expected)} in this order: it names ${list(names)}`,
    { format: "secure sum" },
  );
}

/**
 * Checks that a list names some of the expected clients, each once and in order, and at least `threshold` of
 * them.
 * @param what - description of the list, for the message
 * @throws FormatError if the list does not
 */
export function assertSomeOf(
  what: string,
  names: readonly string[],
  { expected, threshold }: { readonly expected: readonly string[]; readonly threshold: number },
): void {
  assertNames(
    what,
    names,
    expected.filter((name) => names.includes(name)),
  );
  if (names.length >= threshold) return;
  throw new FormatError(
    `Cannot take ${what} as at least ${threshold} clients must be left, lest an update could be singled out: there ` +
      `are ${names.length}`,
    { format: "secure sum" },
  );
}

function list(names: readonly string[]): string {
  if (names.length === 0) return "nobody";
  const named = names.slice(0, MOST_NAMED).map((name) => `"${name.slice(0, MOST_NAMED)}"`);
  return named.join(", ") + (names.length > named.length ? ` and ${names.length - named.length} more` : "");
}

function hasShape(value: unknown, shape: Shape): boolean {
  if (Array.isArray(shape)) return Array.isArray(value) && value.every((item) => hasShape(item, shape[0]));
  if (typeof shape !== "object") return typeof value === typeof shape;
  if (typeof value !== "object" || value === null) return false;
  const fields = Object.entries(shape)
    .map(([field, part]) => [field.replace("?", ""), part, field.endsWith("?")] as const)
    .filter(([field, , isOptional]) => field in value || !isOptional);
  return (
    Object.keys(value).length === fields.length &&
    fields.every(([field, part]) => hasShape((value as Record<string, unknown>)[field], part))
  );
}
