import { InputError } from "@isthmus/core";
import { partsOf } from "../inside.ts";

/** Location of objects: a bucket of a server, and the prefix of their names. */
export interface S3Location {
  /** Name of the bucket. */
  readonly bucket: string;
  /** Prefix without `/` at its ends; empty for the whole bucket. */
  readonly prefix: string;
  /** Address of the server; AWS by default. */
  readonly endpoint?: string | undefined;
  /** Region of AWS; taken from the environment by default. */
  readonly region?: string | undefined;
}

const FORM = "s3://BUCKET/PREFIX?endpoint=http://HOST:PORT&region=REGION";

/**
 * Parses the location of objects from an address such as
 * `s3://bucket/prefix?endpoint=http://127.0.0.1:9000`.
 * @throws InputError if the address has another form, or contains a user name or a password
 */
export function parseS3Location(address: string): S3Location {
  const url = parse(address);
  if (url === null || url.protocol !== "s3:" || url.hostname === "") throw formError("it is not");
  const { endpoint, region, ...others } = Object.fromEntries(url.searchParams);
  const [other] = Object.keys(others);
  if (other !== undefined) throw formError(`it has "${other}"`);
  const server = endpoint === undefined ? undefined : parse(endpoint);
  if (server === null || (server !== undefined && !/^https?:$/.test(server.protocol))) {
    throw formError("its endpoint is no address of a server");
  }
  if ([url, server].some((part) => part !== undefined && (part.username !== "" || part.password !== ""))) {
    throw formError(
      "there is a user name or a password in it; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead",
    );
  }
  const prefix = decodeURIComponent(url.pathname).replace(/^\/+|\/+$/g, "");
  return { bucket: url.hostname, prefix: partsOf(prefix, "the prefix").join("/"), endpoint, region };
}

function parse(address: string): URL | null {
  return URL.canParse(address) ? new URL(address) : null;
}

/** Returns an error that does not repeat the address, as the address may contain a password. */
function formError(problem: string): InputError {
  return new InputError(`Cannot open a storage by its address as it must be like ${FORM}: ${problem}`, {
    input: "s3://",
  });
}
