import { InputError, UsageError } from "@isthmus/core";
import { process, spawn } from "@isthmus/platform";

/** Placeholder for the path of a merged network in a command. */
export const PLACE = "{}";

/** Number of characters at the end of a failed command's output that its error repeats. */
const SHOWN = 400;

/**
 * Judges a network by a shell command, which gets the path of the network and prints a number.
 *
 * The command is run by the shell, with `{}` in it replaced by the path; the score is the last number in its
 * standard output. Standard error is shown only if the command fails.
 *
 * @param path - path of the merged network, a file or a folder
 * @returns the score; NaN if the command prints `nan`
 * @throws UsageError if the command has no `{}`
 * @throws InputError if the command fails, or prints no number
 * @throws DOMException named AbortError if `signal` is aborted, which also stops the command
 */
export async function runEvaluation(command: string, path: string, signal?: AbortSignal): Promise<number> {
  const { output, errors } = await runCommand(command, { [PLACE]: path }, signal);
  const score = lastNumber(output);
  if (score === undefined) throw failed(command, "it must print a number: it printed none", output || errors);
  return score;
}

/**
 * Runs a shell command on a network, with paths in place of placeholders.
 * @param places - path for each placeholder, such as `{}`
 * @throws UsageError if the command lacks a placeholder
 * @throws InputError if the command fails
 */
export async function runCommand(
  command: string,
  places: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<ShellOutcome> {
  assertPlaces(command, Object.keys(places));
  let filled = command;
  for (const [place, path] of Object.entries(places)) filled = filled.replaceAll(place, () => quote(path));
  const outcome = await runShell(filled, signal);
  if (outcome.code === 0) return outcome;
  throw failed(command, `it must succeed: it ended with ${outcome.code}`, outcome.errors);
}

/** Placeholder for the path of a folder for results in a command. */
export const RESULTS_PLACE = "{results}";

/**
 * Checks that a command has its placeholders, and not that of results if nobody reads them.
 * @throws UsageError if it lacks a placeholder, or has `{results}` although that is not among them
 */
export function assertPlaces(command: string, places: readonly string[]): void {
  const lacking = places.find((place) => !command.includes(place));
  if (lacking !== undefined) throw lacksPlace(command, lacking);
  if (places.includes(RESULTS_PLACE) || !command.includes(RESULTS_PLACE)) return;
  throw new UsageError(
    `Cannot run an evaluation as ${RESULTS_PLACE} in its command must be read as results of lm-eval: nothing says which of them count; add --lm-eval TASK:METRIC (lmEval of judgeByCommand)`,
  );
}

function lacksPlace(command: string, place: string): UsageError {
  const [what, example] =
    place === PLACE
      ? ["the network", "python evaluate.py {}"]
      : ["the results", "lm_eval --model_args pretrained={} --output_path {results}"];
  return new UsageError(
    `Cannot run an evaluation as its command must say where the path of ${what} stands, by ${place}: it is "${command}"; write, for example, "${example}"`,
  );
}

/** Finds the last number of a text; undefined if it has none. */
function lastNumber(text: string): number | undefined {
  const numbers = text.match(
    /(?<![\w.])[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|nan|inf(?:inity)?)(?![\w.])/gi,
  );
  const last = numbers?.at(-1)?.toLowerCase();
  if (last === undefined) return undefined;
  if (last.endsWith("nan")) return Number.NaN;
  if (last.includes("inf")) return last.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return Number(last);
}

interface ShellOutcome {
  /** Exit code, or the name of the signal that ended the command. */
  readonly code: number | string;
  readonly output: string;
  readonly errors: string;
}

function runShell(command: string, signal: AbortSignal | undefined): Promise<ShellOutcome> {
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    // In a group of its own, so that the shell's children are stopped with it.
    const child = spawn(command, { shell: true, stdio: ["ignore", "pipe", "pipe"], detached: !onWindows });
    const texts = { output: "", errors: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      texts.output = (texts.output + text).slice(-MOST_KEPT);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      texts.errors = (texts.errors + text).slice(-MOST_KEPT);
    });
    const stop = () => {
      if (child.pid === undefined || onWindows) child.kill();
      else process.kill(-child.pid, "SIGTERM");
    };
    signal?.addEventListener("abort", stop, { once: true });
    child.on("error", reject);
    child.on("close", (code, name) => {
      signal?.removeEventListener("abort", stop);
      if (signal?.aborted) reject(signal.reason);
      else resolve({ code: code ?? name ?? "no exit code", ...texts });
    });
  });
}

/** Number of characters of output that are kept, because a program may print progress for hours. */
const MOST_KEPT = 1 << 16;
const onWindows = process.platform === "win32";

/** Quotes a path for the shell. */
function quote(path: string): string {
  return onWindows ? `"${path}"` : `'${path.replaceAll("'", "'\\''")}'`;
}

function failed(command: string, rule: string, output: string): InputError {
  const text = output.trim().slice(-SHOWN);
  const said = text === "" ? "" : `\n${text}`;
  return new InputError(`Cannot judge a network by "${command}" as ${rule}${said}`, { input: command });
}
