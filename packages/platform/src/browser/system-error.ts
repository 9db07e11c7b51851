/** Texts of the codes of errors, as systems give them. */
const TEXTS = {
  EBADF: "bad file descriptor",
  EBUSY: "another page or worker is writing it",
  EDQUOT: "disk quota exceeded",
  EEXIST: "file already exists",
  EINVAL: "invalid argument",
  EISDIR: "illegal operation on a directory",
  EIO: "i/o error",
  ENOENT: "no such file or directory",
  ENOTDIR: "not a directory",
  ENOTEMPTY: "directory not empty",
  ENOTSUP: "operation not supported",
  EROFS: "read-only file system",
  ESTALE: "the file was changed or removed after it was chosen",
  EXDEV: "cross-device link not permitted",
} as const;

/** Code of an error of a system. */
export type SystemCode = keyof typeof TEXTS;

/** An attempt that failed. */
export interface Attempt {
  /** Name of the function of the system. */
  readonly syscall: string;
  /** Path that it acts on. */
  readonly path: string;
}

/** Makes the error that Node.js throws for a code. */
export function systemError(code: SystemCode, { syscall, path }: Attempt, cause?: unknown): Error {
  const error = new Error(`${code}: ${TEXTS[code]}, ${syscall} '${path}'`, { cause });
  return Object.assign(error, { code, syscall, path });
}

/** Codes of errors of a browser by their names, if they do not depend on what was attempted. */
const CODES: ReadonlyMap<string, SystemCode> = new Map([
  ["InvalidModificationError", "ENOTEMPTY"],
  ["NoModificationAllowedError", "EBUSY"],
  ["NotFoundError", "ENOENT"],
  ["NotReadableError", "ESTALE"],
  ["QuotaExceededError", "EDQUOT"],
  ["TypeError", "EINVAL"],
]);

/**
 * Makes the error that Node.js throws from one that a browser threw.
 * @param mismatch - code if there is a folder in place of a file, or a file in place of a folder
 */
export function fromWebError(error: unknown, attempt: Attempt, mismatch: SystemCode = "EISDIR"): Error {
  const { name, code } = error as Error & { readonly code?: unknown };
  if (typeof code === "string") return error as Error;
  return systemError(name === "TypeMismatchError" ? mismatch : (CODES.get(name) ?? "EIO"), attempt, error);
}
