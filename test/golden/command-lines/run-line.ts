import { cpSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { CliRun } from "../../helpers/run-cli.ts";
import type { CommandLine } from "./command-lines.ts";

/** Networks, examples and descriptions that command lines name. */
export const INPUTS = fileURLToPath(new URL("inputs", import.meta.url));

/** Runs words after `isthmus` in a folder. */
export type RunWords = (words: readonly string[], cwd: string) => Promise<CliRun>;

/** Times and memory in JSON, which no two runs share. */
const MEASURED = /"(seconds|stepSeconds|examplesPerSecond|peakBytes)": ?(\{[^}]*\}|[\d.e+-]+)/g;
/** Lines of words about them. */
const SAID = /^(time|took) +\S.*$/gm;
/** Version that wrote the inputs, which their metadata name. */
const INPUT_VERSION = "0.1.0";

/** What a command line printed and wrote, without what is of the machine or the version. */
export interface LineOutput {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Content of each file that it wrote or changed, by its path with `/` between parts, byte for character. */
  readonly files: ReadonlyMap<string, string>;
}

/** Options of {@link runLine}. */
export interface RunLineOptions {
  /** Whether `--json` is added. */
  readonly json: boolean;
  /** Version of the command, which outputs do not show. */
  readonly version: string;
  /** Puts more files into the folder before the run. @defaultValue none are */
  readonly prepare?: (folder: string) => void;
}

/**
 * Runs a command line in a new folder with a copy of the inputs, and removes the folder.
 */
export async function runLine(
  { words }: CommandLine,
  run: RunWords,
  { json, version, prepare }: RunLineOptions,
): Promise<LineOutput> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "isthmus-line-")));
  const plain = (text: string) =>
    text
      .replaceAll(folder, "FOLDER")
      .replaceAll(version, "VERSION")
      .replaceAll(INPUT_VERSION, "VERSION")
      .replaceAll(MEASURED, '"$1":"TIME"')
      .replaceAll(SAID, "$1 TIME");
  try {
    cpSync(INPUTS, folder, { recursive: true });
    prepare?.(folder);
    const { code, stdout, stderr } = await run([...words, "--quiet", ...(json ? ["--json"] : [])], folder);
    const files = new Map(listWritten(folder).map((path) => [path, plain(readContent(join(folder, path)))]));
    return { code, stdout: plain(stdout), stderr: plain(stderr), files };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Lists the files of a folder that are not as they are among the inputs. */
export function listWritten(folder: string): readonly string[] {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  const written = names.filter((name) => {
    if (!statSync(join(folder, name)).isFile()) return false;
    const input = join(INPUTS, name);
    const isInput = statSync(input, { throwIfNoEntry: false })?.isFile() === true;
    return !isInput || !readFileSync(input).equals(readFileSync(join(folder, name)));
  });
  return written.map((name) => name.split(sep).join("/"));
}

/** Reads a file; of a safetensors file, the length and the padding of the header depend on the version in it. */
function readContent(path: string): string {
  const bytes = readFileSync(path);
  if (!path.endsWith(".safetensors")) return bytes.toString("latin1");
  const end = 8 + Number(bytes.readBigUInt64LE(0));
  return `${bytes.toString("utf8", 8, end).trimEnd()}\n${bytes.toString("latin1", end)}`;
}

/** Returns the result of a command line that was run with `--json`. */
export function resultOf({ file }: CommandLine, { stdout, files }: LineOutput): unknown {
  return JSON.parse(file === undefined ? stdout : (files.get(file) ?? ""));
}
