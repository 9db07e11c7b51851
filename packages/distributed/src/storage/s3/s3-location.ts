import { InputError } from "@isthmus/core";
import { partsOf } from "../inside.ts";

/** Where objects lie: a bucket of some server, and what their names begin with. */
export interface S3Location {
  readonly bucket: string;
  /** Without `/` at its ends; empty if names begin with nothing. */
  readonly prefix: string;
  /** Address of the server; AWS if it is missing. */
  readonly endpoint?: string | undefined;
  /** Region of AWS; the environment says which if it is missing. */
  readonly region?: string | undefined;
}

const FORM = "s3://BUCKET/PREFIX?endpoint=http://HOST:PORT&region=REGION";

/**
 * Reads where objects lie from an address such as `s3://bucket/prefix?endpoint=http://127.0.0.1:9000`.
 * @throws InputError if it is no such address, or has a user name or a password in it
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

/** Returns an error that does not repeat the address, as there may be a password in it. */
function formError(problem: string): InputError {
  return new InputError(`Cannot open a storage by its address as it must be like ${FORM}: ${problem}`, {
    input: "s3://",
  });
}
