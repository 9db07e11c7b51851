/** Refusal of a request, with its reason, which clients receive as `{ "error": ... }`. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
  /** HTTP status. */
  readonly statusCode: number;
  /** Headers of the answer, which help the client to continue. */
  readonly headers: Readonly<Record<string, string>>;
  constructor(statusCode: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.statusCode = statusCode;
    this.headers = headers;
  }
}
