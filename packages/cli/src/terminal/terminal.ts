import { setImmediate } from "node:timers/promises";
import { printable } from "./printable.ts";

/** Where a command writes, and what can be shown there. Nothing else in the program writes to the console. */
export interface Terminal {
  /** Columns of the screen, or 80 where there is none. */
  readonly columns: number;
  /** Whether standard output is a screen that shows colours. */
  readonly color: boolean;
  /** Whether standard output shows more than ASCII. */
  readonly unicode: boolean;
  /** Whether standard error is a screen, where a line can be written over. */
  readonly interactive: boolean;
  /** Writes to standard output. */
  print(text: string): void;
  /** Writes a line to standard error. */
  note(line: string): void;
  /** Shows a line on standard error in place of the one shown before; an empty line clears it. */
  status(line: string): void;
  /**
   * Waits until everything was written.
   * @returns false if standard output could not be written, which was then said on standard error
   */
  settle(): Promise<boolean>;
}

/** A writable stream as far as a terminal needs it. */
export interface TerminalStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string, done?: () => void): unknown;
  on(event: "error", listener: (error: NodeJS.ErrnoException) => void): unknown;
}

const CLEAR_LINE = "\r\u001b[K";

/** Makes the terminal of a process, from its streams and environment. */
export function createTerminal(
  out: TerminalStream,
  err: TerminalStream,
  env: Readonly<Record<string, string | undefined>>,
): Terminal {
  let shown = "";
  let failure: NodeJS.ErrnoException | undefined;
  const fail = (error: NodeJS.ErrnoException): void => {
    // A reader that has seen enough closes the pipe; that is no failure of ours. What follows a failure says
    // nothing new.
    if (error.code === "EPIPE" || failure !== undefined) return;
    failure = error;
    const told = error.code === "ENOSPC" ? "the disk must have room: it is full" : error.message;
    err.write(`isthmus: Cannot write to standard output as ${told}\n`);
  };
  out.on("error", fail);
  // There is nowhere left to say that standard error cannot be written.
  err.on("error", () => {});
  // What goes to a file or a program must arrive as it is; a screen obeys what is written to it.
  const shownOn = (stream: TerminalStream, text: string) => (stream.isTTY === true ? printable(text) : text);
  // Files are written at once, and failures then are thrown.
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
      // Streams tell of failures a moment after they have called back.
      await setImmediate();
      return failure === undefined;
    },
  };
}

/** `NO_COLOR` and `FORCE_COLOR` count if they are set to anything, as their conventions say. */
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
