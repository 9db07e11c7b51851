import { openFilesLimit } from "@isthmus/platform";

/** An open file that can be closed while nothing reads it, and is opened again by its next read. */
export interface RestingFile {
  /** Closes the file until its next read, and gives back its slot. */
  rest(): Promise<void>;
}

/** Number of files that are open at once if the system does not tell its limit. */
const USUAL_MOST = 512;
/**
 * Share of the system's limit that may be taken by the files of one thread: other threads, connections and
 * files that are written need the rest.
 */
const SHARE = 1 / 4;
/** Number of slots that are given before the system is asked for its limit. */
const UNASKED = 48;

let most = UNASKED;
let isAsked = false;
let taken = 0;
/** Open files that nothing reads, the one that was read longest ago first. */
const idle = new Set<RestingFile>();
const waiting: (() => void)[] = [];

/**
 * Takes a slot for opening a file. If all slots of this thread are taken, the file that was read longest ago
 * is closed until its next read, so that any number of checkpoints can be open within the system's limit of
 * open files; if all files are being read, it waits for the end of a read.
 */
export async function takeSlot(): Promise<void> {
  while (taken >= mostSlots()) {
    const [oldest] = idle;
    if (oldest !== undefined) await oldest.rest();
    else await new Promise<void>((resolve) => waiting.push(resolve));
  }
  taken++;
}

/** Gives back a slot, after its file was closed or could not be opened. */
export function freeSlot(): void {
  taken--;
  waiting.shift()?.();
}

/** Notes that nothing reads a file for now, so that it may be closed. */
export function noteIdle(file: RestingFile): void {
  idle.add(file);
  waiting.shift()?.();
}

/** Notes that a file is being read, or is closed. */
export function noteBusy(file: RestingFile): void {
  idle.delete(file);
}

function mostSlots(): number {
  if (taken < most || isAsked) return most;
  isAsked = true;
  const limit = openFilesLimit();
  most = limit === undefined ? USUAL_MOST : Math.max(1, Math.floor(limit * SHARE));
  return most;
}
