import { readFileSync } from "node:fs";
import { createProgram } from "./program.ts";
import { describeCommand, withProvenance } from "./result/result-provenance.ts";
import { explainFailure } from "./terminal/explain-failure.ts";
import { createProgress } from "./terminal/progress.ts";
import { quoteCommand } from "./terminal/quote-command.ts";
import { exitCodeOf, listenForStop } from "./terminal/stop-signals.ts";
import { createTerminal, type Terminal } from "./terminal/terminal.ts";
import type { CommonOptions, Context, Outcome, RunVerb } from "./verb.ts";

/**
 * Runs one command line and returns the exit code: 0, 1 if the work failed or a gate was exceeded, 2 if the
 * usage, an input or an output is wrong, 130 or 143 if it was stopped.
 *
 * @param argv - the words after the program's name
 */
export async function main(argv: readonly string[]): Promise<number> {
  const terminal = createTerminal(process.stdout, process.stderr, process.env);
  const stop = listenForStop();
  // `isthmus help align` is what many type first.
  const words = argv[0] === "help" ? [...argv.slice(1), "--help"] : [...argv];
  let exitCode = 0;
  const run: RunVerb = async (options, work) => {
    const context = createContext(argv, options, { terminal, signal: stop.signal });
    const outcome = await work(context);
    if (terminal.interactive) terminal.status("");
    const result = withProvenance(outcome.result, context.provenance);
    terminal.print(`${options.json ? JSON.stringify(result) : outcome.text}\n`);
    exitCode = reportGate(outcome, terminal);
  };
  try {
    const program = await createProgram(words, { terminal, version: readVersion(), run });
    await program.parseAsync(words, { from: "user" });
  } catch (error) {
    if (terminal.interactive) terminal.status("");
    const received = stop.received();
    if (received !== undefined) terminal.note(`isthmus: stopped by ${received}`);
    exitCode = received === undefined ? await reportFailure(error, argv, terminal) : exitCodeOf(received);
  } finally {
    stop.close();
  }
  const isWritten = await terminal.settle();
  return exitCode === 0 && !isWritten ? 2 : exitCode;
}

function createContext(
  argv: readonly string[],
  { quiet }: CommonOptions,
  shared: Pick<Context, "terminal" | "signal">,
): Context {
  const { terminal } = shared;
  const version = readVersion();
  return {
    ...shared,
    progress: quiet ? () => {} : createProgress(terminal),
    commandLine: quoteCommand(["isthmus", ...argv]),
    version,
    provenance: describeCommand(argv, version),
  };
}

function reportGate({ failure, exitCode = 1 }: Outcome, terminal: Terminal): number {
  if (failure === undefined) return 0;
  terminal.note(`isthmus: ${failure}`);
  return exitCode;
}

async function reportFailure(error: unknown, argv: readonly string[], terminal: Terminal): Promise<number> {
  const code = (error as { code?: unknown } | undefined)?.code;
  // Commander has written its message or help by itself.
  if (typeof code === "string" && code.startsWith("commander.")) {
    return (error as { exitCode: number }).exitCode === 0 ? 0 : 2;
  }
  const { message, exitCode } = await explainFailure(error);
  const [verb = ""] = argv;
  terminal.note(`isthmus ${verb}: ${message}`);
  if (process.env["ISTHMUS_DEBUG"] === "1" && error instanceof Error) terminal.note(error.stack ?? "");
  return exitCode;
}

function readVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return String(version);
}
