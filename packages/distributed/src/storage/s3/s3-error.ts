import { InputError } from "@isthmus/core";
import { withoutStop } from "../../without-stop.ts";

/** Fields of the client's errors that are read; other fields may hold names of keys. */
interface ClientError {
  readonly name?: string;
  readonly message?: string;
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

const CREDENTIALS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE";

/** Names of errors by which a server denies access, whatever the status. */
const REFUSALS = /AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|Forbidden|ExpiredToken|InvalidToken/;

/** Returns the status that a server answered with; undefined if there was no answer. */
export function statusOf(error: unknown): number | undefined {
  return (error as ClientError).$metadata?.httpStatusCode;
}

/**
 * Returns the error that explains why a request to a server failed. Its cause holds the code and the status,
 * and no credentials.
 * @param attempt - description of the attempt, such as `read "s3://bucket/name"`
 */
export function s3Error(attempt: string, error: unknown): InputError {
  const { name, code } = error as ClientError;
  return new InputError(`Cannot ${attempt} as ${reasonOf(error as ClientError)}`, {
    input: attempt,
    cause: { code: code ?? name, status: statusOf(error) },
  });
}

/**
 * Returns a required part of a server's answer.
 * @param what - description of the part, such as `the size of "name"`
 * @throws InputError if the part is missing
 */
export function mustSay<T>(part: T | undefined, what: string): T {
  if (part !== undefined) return part;
  throw new InputError(
    `Cannot use the answer of the server as it must say ${what}: it does not; use a server that speaks the protocol of S3`,
    { input: what },
  );
}

function reasonOf(error: ClientError): string {
  const { name = "Error", message = "", code } = error;
  const status = statusOf(error);
  if (name === "NoSuchBucket") return "its bucket must exist: there is none of that name; create it first";
  if (name === "CredentialsProviderError") return `there must be credentials: there are none; ${CREDENTIALS}`;
  if (REFUSALS.test(name) || status === 401 || status === 403) {
    return `the credentials must permit it: the server says ${name}; ${CREDENTIALS}`;
  }
  if (/Region is missing/.test(message)) return "its region must be known: add ?region=REGION to the address";
  if (status === undefined) {
    return `the server must be reachable: ${code ?? name}; check the endpoint and the network`;
  }
  return withoutStop(`the server must do it: it says ${name} (${status}) ${message}`);
}
