import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** The built program. */
const PROGRAM = fileURLToPath(new URL("../../packages/cli/bin/isthmus.js", import.meta.url));

/** Commands that are ended with this process, whatever ends it. */
const started = new Set<ChildProcess>();
process.on("exit", () => {
  for (const { pid } of started) {
    try {
      if (pid !== undefined) process.kill(-pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
});
for (const name of ["SIGINT", "SIGTERM"]) process.on(name, () => process.exit(1));

/** A command of isthmus that runs with all its processes in a group of its own. */
export interface RunningCommand {
  readonly child: ChildProcess;
  /** Everything that it has printed so far. */
  readonly output: () => string;
  /** Its exit code, or the name of the signal that ended it. */
  readonly ended: Promise<number | string>;
  readonly isAlive: () => boolean;
  /** Sends a signal to the command and all its processes. */
  readonly signal: (name: NodeJS.Signals) => void;
}

/**
 * Starts a command of isthmus.
 * @param before - a program and its arguments to run it under, such as `ip netns exec`
 */
export function startCommand(
  args: readonly string[],
  {
    cwd,
    before = [],
    env,
  }: {
    readonly cwd: string;
    readonly before?: readonly string[];
    readonly env?: Readonly<Record<string, string>> | undefined;
  },
): RunningCommand {
  const [program = process.execPath, ...words] = [...before, process.execPath, PROGRAM, ...args];
  const child = spawn(program, words, {
    cwd,
    env: { ...process.env, ...env },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  started.add(child);
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
  }
  const ended = once(child, "exit").then(([code, signal]) => (code ?? signal) as number | string);
  return {
    child,
    output: () => text,
    ended,
    isAlive: () => child.exitCode === null && child.signalCode === null,
    signal(name) {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, name);
      } catch {
        // It has ended by itself.
      }
    },
  };
}

/** Runs a command of isthmus to its end; throws if it fails. */
export async function runCommand(args: readonly string[], cwd: string): Promise<string> {
  const command = startCommand(args, { cwd });
  const code = await command.ended;
  if (code !== 0) throw new Error(`isthmus ${args.join(" ")} ended with ${code}: ${command.output()}`);
  return command.output();
}
