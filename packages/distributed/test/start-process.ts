import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A server that a test started, on a port of its own on this machine. */
export interface StartedServer {
  /** Where it is, with a user and a password. */
  readonly url: URL;
  /** Number of its first process. */
  pid(): number;
  /** Ends it at once, as a machine that loses power. */
  kill(): Promise<void>;
  /** Starts it again at the same port, with what it had on disk. */
  restart(): Promise<void>;
  /** Ends it and removes its files. */
  stop(): Promise<void>;
}

/**
 * Starts a program; resolves once it says that it is ready.
 * @param ready - what a line says then
 */
export async function startProcess(
  program: string,
  args: readonly string[],
  { ready, ...options }: SpawnOptions & { readonly ready: RegExp },
): Promise<ChildProcess> {
  const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const said: string[] = [];
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`${program} ended with ${code}: ${said.join("\n")}`)));
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) throw new Error(`no output of ${program}`);
      createInterface(stream).on("line", (line) => {
        if (said.length < 50) said.push(line);
        if (ready.test(line)) resolve();
      });
    }
  });
  child.removeAllListeners("exit");
  return child;
}

/** Kills a program, and waits for its end. */
export async function killProcess(child: ChildProcess, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill(signal);
  await ended;
}

/** Says that tests are skipped, so that nobody takes them for passed. */
export function warnSkipped(reason: string, tests: string): undefined {
  // biome-ignore lint/suspicious/noConsole: whoever runs the tests must see it.
  console.warn(`WARNING: ${reason}; tests of ${tests} are SKIPPED`);
}
