import { appendText, isIsthmusError, parseJson, readTextFile } from "@isthmus/core";
import { createHash, encodeUtf8, join, readdir, rm } from "@isthmus/platform";
import { canonicalJson } from "@isthmus/tasks";
import { statesOf } from "../../executor/describe-plan.ts";
import { VERSION } from "../../version.ts";
import type { TensorSurvey } from "./survey-tensor.ts";

/** Start of the names of journals, which are hidden files in the folder of an adapter. */
const PREFIX = ".extract-survey-";

/** Journal of the comparison of two networks, by which an interrupted extraction goes on. */
export interface SurveyJournal {
  /** Surveys of tensors that an earlier process has finished, by name; the latest of each. */
  readonly finished: ReadonlyMap<string, TensorSurvey>;
  /** Adds the survey of a tensor. */
  note(survey: TensorSurvey): Promise<void>;
}

/**
 * Opens the journal in the folder of an adapter. Its name has a digest of all that decides the surveys, so
 * that a journal of other options, or of files that changed since, is not read.
 * @param files - paths of the files of both networks
 * @param options - options that decide the surveys, as JSON
 */
export async function openSurveyJournal(
  folder: string,
  files: readonly string[],
  options: unknown,
): Promise<SurveyJournal> {
  const states = await statesOf(files);
  const identity = canonicalJson({
    version: VERSION,
    states: states.map((state) => ({ ...state })),
    options,
  });
  const digest = createHash("sha256").update(identity).digest("hex").slice(0, 32);
  const path = join(folder, `${PREFIX}${digest}.jsonl`);
  const finished = new Map<string, TensorSurvey>();
  for (const line of await readLines(path)) {
    const survey = parseSurvey(line);
    if (survey !== undefined) finished.set(survey.name, survey);
  }
  return {
    finished,
    async note(survey) {
      // A line end first: the last line of a process that was killed may have none.
      await appendText(path, `\n${JSON.stringify(survey)}`);
    },
  };
}

/** Removes all journals from the folder of an adapter. */
export async function removeSurveyJournals(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    if (name.startsWith(PREFIX)) await rm(join(folder, name), { force: true });
  }
}

async function readLines(path: string): Promise<readonly string[]> {
  try {
    return (await readTextFile(path)).split("\n");
  } catch (error) {
    if (isIsthmusError(error, "InputError")) return [];
    throw error;
  }
}

/** Reads the survey of a line; undefined if the line is incomplete. */
function parseSurvey(line: string): TensorSurvey | undefined {
  if (line === "") return undefined;
  try {
    const value = parseJson(encodeUtf8(line), { attempt: "go on with an extraction" });
    return isSurvey(value) ? value : undefined;
  } catch (error) {
    if (isIsthmusError(error, "FormatError")) return undefined;
    throw error;
  }
}

function isSurvey(value: unknown): value is TensorSurvey {
  const { name, changed, squared, ofBase, values } = (value ?? {}) as Partial<TensorSurvey>;
  const isNumber = (number: unknown) => typeof number === "number";
  return (
    typeof name === "string" &&
    typeof changed === "boolean" &&
    isNumber(squared) &&
    isNumber(ofBase) &&
    Array.isArray(values) &&
    values.every(isNumber)
  );
}
