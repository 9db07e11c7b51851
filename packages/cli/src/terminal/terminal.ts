import { setImmediate } from "node:timers/promises";

/**
 * The terminal that a command writes to, and what it can show. Nothing else in the program writes
 * to the console.
 */
export interface Terminal {
  /** Columns of the screen, or 80 if there is none. */
  readonly columns: number;
  /** Whether standard output is a screen that shows colours. */
  readonly color: boolean;
  /** Whether standard output shows more than ASCII. */
  readonly unicode: boolean;
  /** Whether standard error is a screen, on which a line can be replaced. */
  readonly interactive: boolean;
  /** Writes to standard output. */
  print(text: string): void;
  /** Writes a line to standard error. */
  note(line: string): void;
  /** Shows a line on standard error in place of the one shown before; an empty line clears it. */
  status(line: string): void;
  /**
   * Waits until everything was written.
   * @returns false if standard output could not be written; standard error then has a message about it
   */
  settle(): Promise<boolean>;
}

/** The part of a writable stream that a terminal needs. */
export interface TerminalStream {
  /** Whether the stream is a screen; absent for files and pipes. */
  readonly isTTY?: boolean;
  /** Number of columns of the screen; absent if it is none. */
  readonly columns?: number;
  /** Writes text; calls `done` when it is written. */
  write(text: string, done?: () => void): unknown;
  /** Calls a listener with each error of the stream. */
  on(event: "error", listener: (error: NodeJS.ErrnoException) => void): unknown;
}

const CLEAR_LINE = "\r\u001b[K";

/** Creates the terminal of a process from its streams and environment. */
export function createTerminal(
  out: TerminalStream,
  err: TerminalStream,
  env: Readonly<Record<string, string | undefined>>,
): Terminal {
  let shown = "";
  let failure: NodeJS.ErrnoException | undefined;
  const fail = (error: NodeJS.ErrnoException): void => {
    // A reader that has seen enough closes the pipe, which is no failure of ours. Only the first failure is
    // reported.
    if (error.code === "EPIPE" || failure !== undefined) return;
    failure = error;
    const reason = error.code === "ENOSPC" ? "the disk must have room: it is full" : error.message;
    err.write(`isthmus: Cannot write to standard output as ${reason}\n`);
  };
  out.on("error", fail);
  // There is no place left to report that standard error cannot be written.
  err.on("error", () => {});
  // A file or a program must get the text as it is; a screen obeys control characters in it.
  const shownOn = (stream: TerminalStream, text: string) => (stream.isTTY === true ? printable(text) : text);
  // Files are written synchronously, so their failures are thrown.
  const write = (text: string, done?: () => void): void => {
    try {
      out.write(shownOn(out, text), done);
    } catch (error) {
      fail(error as NodeJS.ErrnoException);
      done?.();
    }
  };
  const status = (line: string): void => {
    if (line === shown) return;
    err.write(CLEAR_LINE + shownOn(err, line));
    shown = line;
  };
  return {
    columns: Math.max(40, out.columns || Number(env["COLUMNS"]) || 80),
    color: showsColor(out, env),
    unicode: showsUnicode(env),
    interactive: err.isTTY === true && env["TERM"] !== "dumb",
    print: (text) => {
      if (shown !== "") status("");
      write(text);
    },
    note: (line) => {
      if (shown !== "") status("");
      err.write(`${shownOn(err, line)}\n`);
    },
    status,
    async settle() {
      if (failure === undefined) await new Promise<void>((resolve) => write("", resolve));
      // Streams report failures a moment after they have called back.
      await setImmediate();
      return failure === undefined;
    },
  };
}

/**
 * Decides whether to show colours: `NO_COLOR` and `FORCE_COLOR` count unless they are empty, by their
 * conventions.
 */
function showsColor(out: TerminalStream, env: Readonly<Record<string, string | undefined>>): boolean {
  if (env["NO_COLOR"]) return false;
  if (env["FORCE_COLOR"]) return env["FORCE_COLOR"] !== "0";
  return out.isTTY === true && env["TERM"] !== "dumb";
}

function showsUnicode(env: Readonly<Record<string, string | undefined>>): boolean {
  if (process.platform === "win32")
    return env["WT_SESSION"] !== undefined || env["TERM_PROGRAM"] === "vscode";
  if (env["TERM"] === "linux" || env["TERM"] === "dumb") return false;
  const locale = env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "";
  return locale === "" || /utf-?8/i.test(locale);
}

/**
 * Control characters other than tabs and line breaks, except in a sequence that sets colours. They could
 * move the cursor, overwrite text on the screen, or set the title of the window.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it searches for them.
const CONTROL = /\u001b(?!\[[\d;]*m)|[\0-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f]/g;

/**
 * Replaces control characters of a text by U+FFFD before a screen obeys them, as names in files may hold any
 * characters.
 */
function printable(text: string): string {
  return text.replace(CONTROL, "\ufffd");
}
