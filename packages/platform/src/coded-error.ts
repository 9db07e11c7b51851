/** Makes an error with a code of `node:zlib`, by which callers tell damaged bytes from too many. */
export function codedError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
