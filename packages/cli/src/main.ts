import { readFileSync } from "node:fs";
import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { quoteCommand } from "@isthmus/findings";
import { deviceOf } from "./open/follow-device.ts";
import { withModels } from "./open/with-models.ts";
import { assertNeeds, hintAtMethod } from "./options/option-needs.ts";
import { takeUse, USE } from "./options/use-option.ts";
import { whileNotingData } from "./result/fed-data.ts";
import { describeCommand, withProvenance } from "./result/result-provenance.ts";
import { arrangeHelp, HELP_ALL } from "./terminal/arrange-help.ts";
import { describeVersion } from "./terminal/describe-version.ts";
import { explainFailure } from "./terminal/explain-failure.ts";
import { createProgress, repeatProgress } from "./terminal/progress.ts";
import { showWarnings } from "./terminal/show-warnings.ts";
import { exitCodeOf, listenForStop } from "./terminal/stop-signals.ts";
import { createTerminal, type Terminal } from "./terminal/terminal.ts";
import type { CommonOptions, Context, Outcome, RunVerb } from "./verb.ts";
import { formatFirstSteps, listVerbs, loadVerb, verbGroups } from "./verbs.ts";

/**
 * Runs one command line and returns the exit code: 0, 1 if the work failed or a gate was exceeded, 2 if the
 * usage, an input or an output is wrong, 130 or 143 if it was stopped.
 *
 * @param argv - the words after the program's name
 */
export async function main(argv: readonly string[]): Promise<number> {
  const terminal = createTerminal(process.stdout, process.stderr, process.env);
  const stop = listenForStop();
  const endWarnings = showWarnings(terminal.note);
  let used: readonly string[] = [];
  let exitCode = 0;
  const run: RunVerb = async (options, work) => {
    const context = createContext(argv, options, { terminal, signal: stop.signal, use: used });
    const { outcome, result } = await whileNotingData(async () => {
      const done = await withModels(options, context, () => work(context));
      return { outcome: done, result: await withProvenance(done.result, context.provenance) };
    });
    if (terminal.interactive) terminal.status("");
    terminal.print(`${options.json ? JSON.stringify(result) : outcome.text}\n`);
    exitCode = reportGate(outcome, terminal);
  };
  try {
    const { words: plain, use } = takeUse(argv);
    if (use.length > 0) {
      const { addOwnMeasurements } = await import("./measurement/add-own-measurements.ts");
      await addOwnMeasurements(use, terminal);
    }
    used = use;
    const words = wordsOf(plain);
    const showsAll = argv.includes(HELP_ALL);
    const version = words.some((word) => VERSION_FLAGS.includes(word))
      ? await describeVersion(readVersion(), { json: words.includes("--json") })
      : "";
    const program = await createProgram(words, { terminal, version, run, showsAll });
    await program.parseAsync(words, { from: "user" });
  } catch (error) {
    if (terminal.interactive) terminal.status("");
    const received = stop.received();
    if (received !== undefined) terminal.note(`isthmus: stopped by ${received}`);
    exitCode = received === undefined ? await reportFailure(error, argv, terminal) : exitCodeOf(received);
  } finally {
    stop.close();
    endWarnings();
  }
  const isWritten = await terminal.settle();
  return exitCode === 0 && !isWritten ? 2 : exitCode;
}

/**
 * Returns the words of a command line in the form that the parser takes. Many type `isthmus help align`
 * first; `--help-all` is a `--help` that leaves nothing out; and a verb that does not exist has no help, so
 * that the error is about its name.
 */
function wordsOf(argv: readonly string[]): readonly string[] {
  const asked = argv[0] === "help" ? [...argv.slice(1), "--help"] : argv;
  const words = asked.map((word) => (word === HELP_ALL ? "--help" : word));
  const [first = "-"] = words;
  if (first.startsWith("-") || Object.hasOwn(listVerbs(), first)) return words;
  return words.filter((word) => word !== "--help" && word !== "-h");
}

function createContext(
  argv: readonly string[],
  { quiet }: CommonOptions,
  shared: Pick<Context, "terminal" | "signal" | "use">,
): Context {
  const { terminal, use } = shared;
  const version = readVersion();
  return {
    ...shared,
    ...repeatProgress(quiet ? () => {} : createProgress(terminal)),
    commandLine: quoteCommand(["isthmus", ...argv]),
    version,
    get maker() {
      const device = deviceOf(terminal);
      return { version, ...(device !== undefined && { device }) };
    },
    provenance: describeCommand(takeUse(argv).words, { version, use }),
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
  // Files of one's own may be named before the verb.
  const [verb = USE] = takeUse(argv).words;
  terminal.note(`isthmus ${verb}: ${message}`);
  if (process.env["ISTHMUS_DEBUG"] === "1" && error instanceof Error) terminal.note(error.stack ?? "");
  return exitCode;
}

function readVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return String(version);
}

/** Options of {@link createProgram}. */
interface ProgramOptions {
  readonly terminal: Terminal;
  /** Text that `--version` shows; empty if it is not asked for. */
  readonly version: string;
  readonly run: RunVerb;
  /** Whether the help also shows the options that few need. */
  readonly showsAll: boolean;
}

const VERSION_FLAGS: readonly string[] = ["-V", "--version"];

const DESCRIPTION =
  "Aligns, merges and measures neural-network checkpoints: two trained networks in, one good network out.";

/**
 * Creates the command line. Only the verb that `argv` names is loaded; the others are only listed, so that
 * help is shown at once.
 */
async function createProgram(
  argv: readonly string[],
  { terminal, version, run, showsAll }: ProgramOptions,
): Promise<CommandUnknownOpts> {
  const program: CommandUnknownOpts = new Command("isthmus")
    .description(`${DESCRIPTION}\n\n${formatFirstSteps()}`)
    .usage("<verb> [options]")
    .version(version, VERSION_FLAGS.join(", "), "show the version")
    .helpOption(
      "-h, --help",
      "show this help; isthmus <verb> --help shows the help of a verb, and --help-all all its options",
    )
    .option(
      `${USE} <file>`,
      "add the measurements and network makers of a module of your own, before or after the verb; runs its code; may be repeated",
    )
    .helpCommand(false)
    .hook("preAction", (_, verb) => assertNeeds(verb));
  const verbs = listVerbs();
  const verb = argv.find((word) => Object.hasOwn(verbs, word));
  const loadsAll = verb !== undefined && (verbs[verb]?.describesAll ?? false);
  for (const [group, grouped] of Object.entries(verbGroups())) {
    for (const [name, entry] of Object.entries(grouped)) {
      const { summary } = entry;
      const command = name === verb || loadsAll ? await loadVerb(entry, run) : new Command(name);
      program.addCommand(command.summary(summary).description(`${summary}.`).helpGroup(`${group}:`));
    }
  }
  configure(program, { terminal, argv, showsAll }, "isthmus");
  return program;
}

/** Configures a command and the commands below it. */
function configure(
  command: CommandUnknownOpts,
  settings: Pick<ProgramOptions, "terminal" | "showsAll"> & { readonly argv: readonly string[] },
  name: string,
): void {
  const { terminal, argv, showsAll } = settings;
  for (const below of command.commands) configure(below, settings, `${name} ${below.name()}`);
  arrangeHelp(command, { width: Math.min(terminal.columns, 100), showsAll, name });
  command
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => terminal.print(text),
      writeErr: (text) => terminal.note(text.trimEnd()),
      outputError: (text, write) =>
        write(`${name}: ${sentence(text)}${adviceOn(text, command, argv)}; see ${name} --help`),
    });
}

/**
 * Names an option that does not exist if another one is missing, as it may be that one, misspelt; or an
 * option that the word too many belongs to.
 */
function adviceOn(text: string, command: CommandUnknownOpts, argv: readonly string[]): string {
  if (text.startsWith("error: too many arguments")) {
    const hint = hintAtMethod(command, argv);
    return hint === "" ? "" : `: ${hint}`;
  }
  if (!text.startsWith("error: required option")) return "";
  const unknown = command.parseOptions([...argv]).unknown.find((word) => word.startsWith("-"));
  return unknown === undefined ? "" : `, and there is no option '${unknown}'`;
}

/** Puts a message of commander, such as `error: unknown option '--x'\n(Did you mean --y?)`, on one line. */
function sentence(text: string): string {
  const [first = "", ...rest] = text
    .trim()
    .replace(/^error: /, "")
    .split("\n");
  const line = [first, ...rest].join(" ").replace(/\.$/, "");
  return line.charAt(0).toUpperCase() + line.slice(1);
}
