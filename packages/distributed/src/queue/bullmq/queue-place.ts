import { withoutStop } from "../../without-stop.ts";

/** Shortest secret that is looked for in messages: a shorter one would blank out parts of other words. */
const SHORTEST_SECRET = 3;

/** Returns a URL without user, password, query and fragment: the parts that people may see. */
export function placeOf(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

/**
 * Makes a function that describes an error in one line, without the secrets of a URL and without a full stop,
 * as more of the sentence may follow.
 */
export function createCleaner(url: URL): (error: unknown) => string {
  const secrets = secretsOf(url);
  return (error) => {
    let message = reasonOf(error).replaceAll(url.href, placeOf(url));
    for (const secret of secrets) message = message.replaceAll(secret, "***");
    return withoutStop(message.split("\n", 1)[0] ?? message);
  };
}

/** Names of parameters whose values nobody may see, such as `password` and `sslkey`. */
const SECRET_PARAMETER = /pass|key|secret|token/i;

/** Lists the secrets in a URL, both as written there and decoded, the longest first. */
function secretsOf({ protocol, username, password, searchParams, hash }: URL): readonly string[] {
  const parameters = [...searchParams].flatMap(([name, value]) => (SECRET_PARAMETER.test(name) ? value : []));
  // Redis accepts a password without a user: if the ":" before the password is forgotten, it is parsed as the
  // user.
  const user = password === "" && protocol.startsWith("redis") ? [username] : [];
  const written = [...user, password, hash.slice(1), ...parameters];
  return [...new Set(written.flatMap((secret) => [secret, decode(secret)]))]
    .filter((secret) => secret.length >= SHORTEST_SECRET || secret === decode(password))
    .filter((secret) => secret !== "")
    .sort((a, b) => b.length - a.length);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Returns the message of an error; an error about several addresses at once has no message itself. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== "") return error.message;
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return (error as NodeJS.ErrnoException).code ?? error.name;
}
