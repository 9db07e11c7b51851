import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A peer in a process of its own that does a row's work. */
export interface PeerProcess {
  /** Number that both sides compute; null if there is none. */
  readonly check: number | null;
  /** Versions of what it runs on. */
  readonly versions: Readonly<Record<string, string>>;
  /** Does the work so many times; returns the seconds that took. */
  readonly run: (times: number) => Promise<number>;
  /** Ends the process. */
  readonly close: () => Promise<void>;
}

/** A program that is a peer. */
export interface PeerProgram {
  /** Interpreter of it. */
  readonly python: string;
  /** Name of its file beside this one. */
  readonly script: string;
}

/** Starts a peer; undefined if it cannot do the work in this setting, with its last words on standard error. */
export async function startPeer(
  { python, script }: PeerProgram,
  folder: string,
  setting: string,
): Promise<PeerProcess | undefined> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(python, [path, folder, setting], { stdio: ["pipe", "pipe", "pipe"] });
  let words = "";
  child.stderr.on("data", (chunk) => {
    words = `${words}${chunk}`.slice(-2000);
  });
  const gone = once(child, "close");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string | undefined> => {
    const line = await lines.next();
    return line.done ? undefined : line.value;
  };
  const hello = await next();
  if (hello === undefined) {
    console.error(`${setting} is left out, as it cannot do this: ${words.trim().split("\n").at(-1)}`);
    return undefined;
  }
  const { check, versions } = JSON.parse(hello) as Pick<PeerProcess, "check" | "versions">;
  return {
    check,
    versions,
    async run(times) {
      child.stdin.write(`${times}\n`);
      const line = await next();
      if (line === undefined) throw new Error(`The peer ${setting} ended while it worked: ${words}`);
      return Number(line);
    },
    async close() {
      child.stdin.end();
      await gone;
    },
  };
}
