import { digestFile, isIsthmusError } from "@isthmus/core";
import { stampOf } from "./stamps.ts";

/** A file of a federation's folder, with its hash in the journal. */
export interface KnownFile {
  /** Path of the file on this machine. */
  readonly path: string;
  /** SHA-256 of its bytes; undefined if the journal is of an earlier version without the hash. */
  readonly hash: string | undefined;
  /** Stamp of the file since its bytes were found to have the hash, if this program found it. */
  readonly stamp?: string | undefined;
}

/**
 * Says how a file differs from its known hash, without its path, or returns `undefined` if it does not
 * differ.
 * @param digest - computes the SHA-256. @defaultValue a function that reads the file
 */
export async function faultOf(
  { path, hash, stamp }: KnownFile,
  digest: () => Promise<string> = () => digestFile(path),
): Promise<string | undefined> {
  if (stamp !== undefined && stamp === (await stampOf(path))) return undefined;
  try {
    const sum = await digest();
    return hash === undefined || sum === hash ? undefined : `it has the SHA-256 ${sum}`;
  } catch (error) {
    if (!isIsthmusError(error, "InputError")) throw error;
    const { code } = (error.cause ?? {}) as NodeJS.ErrnoException;
    return code === "ENOENT" ? "it is missing" : `it cannot be read (${code ?? "it changes"})`;
  }
}

/**
 * Says how a file differs from its known hash, with its path, or returns `undefined` if it does not differ.
 */
export async function describeFault(file: KnownFile): Promise<string | undefined> {
  const fault = await faultOf(file);
  if (fault === undefined) return undefined;
  const rule = file.hash === undefined ? "must be there" : `must have the SHA-256 ${file.hash}`;
  return `"${file.path}" ${rule}: ${fault}`;
}
