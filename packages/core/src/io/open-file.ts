import {
  closeSync,
  constants,
  existsSync,
  type FileHandle,
  fstatSync,
  open,
  openSync,
  type Stats,
} from "@isthmus/platform";
import { InputError } from "../errors.ts";
import { assertOpenedWithin, assertPathWithin } from "./confine-files.ts";
import { assertInModelFolder } from "./model-folder.ts";
import { reasonOf } from "./system-error.ts";

/** A regular file that is open for reading, and its size and times when it was opened. */
export interface OpenFile {
  /** Handle for reading, which the caller closes. */
  readonly handle: FileHandle;
  /** Size, times and identity of the file when it was opened. */
  readonly stats: Stats;
}

/** A regular file that is open for synchronous reading; see {@link OpenFile}. */
export interface OpenFileSync {
  /** File descriptor for reading, which the caller closes. */
  readonly descriptor: number;
  /** Size, times and identity of the file when it was opened. */
  readonly stats: Stats;
}

/**
 * Flags for opening files. Without O_NONBLOCK, opening a named pipe would wait for a writer forever, and only
 * SIGKILL would end the process.
 */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * Opens a regular file for reading. All code in Isthmus that reads a file named by a user uses this function.
 * @param within - folder in which the file must lie after all links are resolved. @defaultValue any folder
 * @throws InputError if the file does not exist, may not be read, is a folder, a device, a pipe or a socket,
 *   lies outside `within`, or {@link confineFiles} does not allow it
 */
export async function openFile(path: string, within?: string): Promise<OpenFile> {
  await assertPathWithin(path, "read");
  const handle = await open(path, FLAGS).catch((error: unknown) => {
    throw openError(path, error);
  });
  try {
    const stats = await handle.stat();
    assertRegular(path, stats);
    const opened = { descriptor: handle.fd, stats };
    assertOpenedWithin(path, "read", opened);
    if (within !== undefined) await assertInModelFolder(path, within, opened);
    return { handle, stats };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * Opens a regular file for synchronous reading; the caller closes the descriptor.
 * @throws InputError as {@link openFile}
 */
export function openFileSync(path: string): OpenFileSync {
  const descriptor = openDescriptor(path);
  try {
    const stats = fstatSync(descriptor);
    assertRegular(path, stats);
    assertOpenedWithin(path, "read", { descriptor, stats });
    return { descriptor, stats };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

function openDescriptor(path: string): number {
  try {
    return openSync(path, FLAGS);
  } catch (error) {
    throw openError(path, error);
  }
}

function assertRegular(path: string, stats: Stats): void {
  if (stats.isFile()) return;
  const kind = stats.isDirectory() ? "a folder" : "a device, pipe or socket";
  throw new InputError(`Cannot read "${path}" as it must be a regular file: it is ${kind}`, { input: path });
}

/** Returns the error that explains why a path cannot be opened. */
export function openError(path: string, error: unknown): InputError {
  const hint = (error as NodeJS.ErrnoException).code === "ENOENT" ? hubHint(path) : "";
  return new InputError(`Cannot open "${path}" as ${reasonOf(error)}${hint}`, { input: path, cause: error });
}

/** Pattern of names on the Hugging Face hub, an owner and a model: `meta-llama/Llama-2-7b`. */
export const HUB_NAME: RegExp = /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/;

/**
 * Pattern of names with endings of files, which names of models do not have; the last letter of an ending may
 * be missing.
 */
export const FILE_NAME: RegExp =
  /\.(safetensors?|json|onnx|pt|pth|bin|ckpt|npz|npy|gguf|gz|txt|ya?ml|csv|html|svg)$/i;

/**
 * Returns an addition to the message that a path does not exist, if it looks like the name of a model on the
 * Hugging Face hub, which is never downloaded here; otherwise an empty string, also if the first part of the
 * name is an existing folder.
 */
export function hubHint(path: string): string {
  const [name = "", revision] = path.split("@");
  if (!HUB_NAME.test(name) || FILE_NAME.test(path)) return "";
  const [owner = "", model] = name.split("/");
  if (existsSync(owner)) return "";
  const at = revision === undefined ? "" : ` --revision ${revision}`;
  return `; a model of the Hugging Face hub must be downloaded first, by isthmus with --download, or by: hf download ${name}${at} --local-dir ${model}`;
}
