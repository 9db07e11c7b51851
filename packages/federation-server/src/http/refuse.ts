/** A request that is not granted, and why: what clients see as `{ "error": ... }`. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
  /** Status of HTTP. */
  readonly statusCode: number;
  /** Headers that tell the client what to do. */
  readonly headers: Readonly<Record<string, string>>;
  constructor(statusCode: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.statusCode = statusCode;
    this.headers = headers;
  }
}
