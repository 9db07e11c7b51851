/**
 * Describes an error of the operating system, as the end of a sentence that begins with the attempt.
 * @param missing - description of the error if the file does not exist
 */
export function reasonOf(error: unknown, missing = "it must exist: there is no such file or folder"): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case "ENOENT":
      return missing;
    case "ENOTDIR":
      return "every part of its path but the last must be a folder: one is a file";
    case "EISDIR":
      return "it must be a file: it is a folder";
    case "ELOOP":
      return "no link may be in its place, and no circle of links on its way: there is one";
    case "EACCES":
    case "EPERM":
      return "you must have the right to: permission was denied";
    case "EROFS":
      return "its file system must be writable: it is mounted read-only";
    case "ENOSPC":
      return "the disk must have room: it is full; free some space or choose another disk";
    case "EDQUOT":
      return "your quota must have room: it is used up; free some space or choose another disk";
    case "EFBIG":
      return "the file must be allowed to grow so large: raise the limit (ulimit -f) or write smaller shards";
    case "ESTALE":
      return "it must stay as it was when it was chosen: it was changed or removed; choose it again";
    case "EBUSY":
      return "nobody else may be writing it: another page or program is";
    case "EMFILE":
    case "ENFILE":
      return "the system allows only so many open files: raise the limit (ulimit -n) or use fewer shards";
    default:
      return `the system refused: ${messageOf(error)}`;
  }
}

/**
 * Says whether an error is, or is caused by, a disk without room or a quota that is used up, so that the same
 * attempt can succeed later.
 */
export function isDiskFull(error: unknown): boolean {
  return systemCodesOf(error).some((code) => code === "ENOSPC" || code === "EDQUOT");
}

/** Maximum depth at which causes are examined. */
const DEEPEST_CAUSE = 10;

/** Finds the codes of the system's errors that an error is, or is caused by; the error's own comes first. */
export function systemCodesOf(error: unknown): readonly string[] {
  const codes: string[] = [];
  let cause = error;
  for (let depth = 0; depth < DEEPEST_CAUSE && typeof cause === "object" && cause !== null; depth++) {
    const { code, cause: next } = cause as { readonly code?: unknown; readonly cause?: unknown };
    // Codes of Node.js itself, such as ERR_INVALID_ARG_TYPE, indicate a wrong call.
    if (typeof code === "string" && !code.startsWith("ERR_")) codes.push(code);
    cause = next;
  }
  return codes;
}

/** Returns the message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
