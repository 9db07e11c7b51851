import { describe, expect, it } from "vitest";
import { createTerminal, type TerminalStream } from "./terminal.ts";

function stream(isTTY: boolean) {
  const written: string[] = [];
  const listeners: ((error: NodeJS.ErrnoException) => void)[] = [];
  const fake: TerminalStream = {
    isTTY,
    columns: 100,
    write: (text, done) => {
      if (text !== "") written.push(text);
      done?.();
    },
    on: (_, listener) => listeners.push(listener),
  };
  return {
    fake,
    written,
    fail: (code: string) =>
      listeners.forEach((listen) => void listen(Object.assign(new Error(code), { code }))),
  };
}

const UTF8 = { LANG: "C.UTF-8", TERM: "xterm-256color" };

describe("createTerminal()", () => {
  it("createTerminal() colours a screen, and a pipe only if forced; NO_COLOR wins", () => {
    const color = (isTTY: boolean, env: Record<string, string>) =>
      createTerminal(stream(isTTY).fake, stream(true).fake, { ...UTF8, ...env }).color;
    expect(color(true, {})).toBe(true);
    expect(color(false, {})).toBe(false);
    expect(color(true, { NO_COLOR: "1" })).toBe(false);
    expect(color(true, { NO_COLOR: "" })).toBe(true);
    expect(color(false, { FORCE_COLOR: "1" })).toBe(true);
    expect(color(true, { FORCE_COLOR: "0" })).toBe(false);
    expect(color(true, { NO_COLOR: "1", FORCE_COLOR: "1" })).toBe(false);
    expect(color(true, { TERM: "dumb" })).toBe(false);
  });

  it("createTerminal() shows Unicode unless the locale says otherwise", () => {
    const unicode = (env: Record<string, string>) =>
      createTerminal(stream(true).fake, stream(true).fake, env).unicode;
    expect(unicode({ LANG: "en_US.UTF-8" })).toBe(true);
    expect(unicode({ LANG: "C" })).toBe(false);
    expect(unicode({ LANG: "en_US.UTF-8", LC_ALL: "POSIX" })).toBe(false);
    expect(unicode({ LANG: "en_US.UTF-8", TERM: "linux" })).toBe(false);
    expect(unicode({})).toBe(true);
  });

  it("createTerminal() clears the status line before anything else is written", () => {
    const [out, err] = [stream(true), stream(true)];
    const terminal = createTerminal(out.fake, err.fake, UTF8);
    terminal.status("half");
    terminal.status("half");
    terminal.print("result\n");
    terminal.note("remark");
    expect(out.written).toEqual(["result\n"]);
    expect(err.written).toEqual(["\r\u001b[Khalf", "\r\u001b[K", "remark\n"]);
  });

  it("createTerminal() lets nothing that names hold control a screen, and changes nothing for files", () => {
    const name = "\u001b]0;owned\u0007\u001b[2Ja\r\u009b1mb\u001b[31mred\u001b[0m\tc\n";
    const [screen, err] = [stream(true), stream(true)];
    const terminal = createTerminal(screen.fake, err.fake, UTF8);
    terminal.print(name);
    terminal.note(name);
    terminal.status(name);
    const safe = "\ufffd]0;owned\ufffd\ufffd[2Ja\ufffd\ufffd1mb\u001b[31mred\u001b[0m\tc\n";
    expect(screen.written).toEqual([safe]);
    expect(err.written).toEqual([`${safe}\n`, `\r\u001b[K${safe}`]);
    const file = stream(false);
    createTerminal(file.fake, stream(false).fake, UTF8).print(name);
    expect(file.written).toEqual([name]);
  });

  it("createTerminal() takes no reader that closes the pipe for a failure", async () => {
    const [out, err] = [stream(false), stream(false)];
    const terminal = createTerminal(out.fake, err.fake, UTF8);
    out.fail("EPIPE");
    err.fail("EPIPE");
    terminal.print("more");
    expect(await terminal.settle()).toBe(true);
    expect(err.written).toEqual([]);
  });

  it("createTerminal() says once that standard output cannot be written, whether at once or later", async () => {
    const late = stream(false);
    const soon = stream(false);
    soon.fake.write = () => {
      throw Object.assign(new TypeError("no room"), { code: "ENOSPC" });
    };
    for (const out of [late, soon]) {
      const err = stream(false);
      const terminal = createTerminal(out.fake, err.fake, UTF8);
      terminal.print("result");
      if (out === late) out.fail("ENOSPC");
      if (out === late) out.fail("EIO");
      terminal.print("more");
      expect(await terminal.settle()).toBe(false);
      expect(err.written).toEqual([
        "isthmus: Cannot write to standard output as the disk must have room: it is full\n",
      ]);
    }
  });
});
