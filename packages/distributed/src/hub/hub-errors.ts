import { FormatError, InputError } from "@isthmus/core";

/** A request to the hub, as messages describe it. */
export interface HubAttempt {
  /** The attempt in words, such as `download hub:owner/model`. */
  readonly attempt: string;
  /** Address of the hub. */
  readonly endpoint: string;
  /** Whether the request carries a token. */
  readonly hasToken: boolean;
}

const LOG_IN = "set HF_TOKEN, or run hf auth login, and try again";

/** Explanations of statuses above 399: what the hub means by them, and what to do next. */
const REFUSALS: ReadonlyMap<number, (told: HubAttempt) => string> = new Map<
  number,
  (told: HubAttempt) => string
>([
  [
    401,
    ({ hasToken }) =>
      hasToken
        ? `it must exist, and the token must be one that the hub knows: the hub refuses it; check the name, then ${LOG_IN}`
        : `it must exist and be public, or a token must be given: none was found; check the name, then ${LOG_IN}`,
  ],
  [
    403,
    ({ hasToken }) =>
      `you must have the right to: the hub says that ${hasToken ? "the owner of the token has not" : "a token is needed"}; accept the conditions on the page of the model if it has some, or ${LOG_IN}`,
  ],
  [
    404,
    () => "the model, its revision and its files must be on the hub: there is no such one; check the name",
  ],
  [
    409,
    () =>
      "nobody else may change the repository at the same moment: somebody did, or it exists already; try again",
  ],
  [
    429,
    () => "the hub must have answers left for you: it asks for fewer requests; try again in some minutes",
  ],
]);

/** Returns the error for a request that the hub refused. */
export function refusalOf(status: number, told: HubAttempt): InputError {
  const why =
    REFUSALS.get(status)?.(told) ??
    `the hub must answer: ${told.endpoint} says ${status}${status >= 500 ? "; try again later, which goes on where this stopped" : ""}`;
  return new InputError(`Cannot ${told.attempt} as ${why}`, { input: told.endpoint });
}

/** Returns the error for a hub that could not be reached, or whose answer broke off. */
export function lostOf(reason: string, { attempt, endpoint }: HubAttempt): InputError {
  return new InputError(
    `Cannot ${attempt} as ${endpoint} must answer: ${reason}; try again, which goes on where this stopped, or leave out --download to use what is in the cache`,
    { input: endpoint },
  );
}

/**
 * Returns the error for an answer that a hub would not give: another form, a wrong digest, too many bytes.
 */
export function strangeAnswer({ attempt }: Pick<HubAttempt, "attempt">, rule: string): FormatError {
  return new FormatError(`Cannot ${attempt} as ${rule}`, { format: "hub" });
}
