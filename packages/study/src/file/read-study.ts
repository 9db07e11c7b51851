import { findProblems, readYamlFile, rejectProblems, unfold, type YamlSource } from "@isthmus/forms";
import { useMeasurements } from "@isthmus/measurements/use";
import { dirname, resolve } from "@isthmus/platform";
import type { ZodType } from "zod";
import { assertStudySize } from "../description/assert-study-size.ts";
import type { StudyDescription } from "../description/study-description.ts";
import { takenByStudies } from "../networks/add-network-maker.ts";
import { makerOf, networkSchemaOf } from "../networks/makers.ts";
import { loadStudyTasks } from "../tasks/task-kinds.ts";
import { loadMeasurementSchema } from "./measurement-schema.ts";
import { STUDY } from "./study-schema.ts";

/**
 * Reads a study from a YAML file. If the study names files of measurements (`use`), their code is run: read
 * such a study only if you would run it.
 * @throws InputError if it cannot be read, is not of the form of a study, or describes more than a study may
 *   have; the message names the lines
 * @throws FormatError if it is not YAML
 */
export async function readStudy(path: string): Promise<StudyDescription> {
  const { name, source, value } = await readYamlFile(path, "study");
  rejectProblems("study", name, findProblems(STUDY, value, { source }));
  const study = await useNamed(value as StudyDescription, path);
  assertStudySize(study);
  const measurement = await loadMeasurementSchema();
  rejectProblems("study", name, [...new Set(findEntryProblems(study, source, measurement))]);
  return study;
}

/** Adds the measurements that files define which a study names in `use`; paths are relative to its folder. */
async function useNamed(study: StudyDescription, path: string): Promise<StudyDescription> {
  if (study.use === undefined) return study;
  const use = study.use.map((file) => resolve(dirname(path), file));
  await useMeasurements(use, { ...takenByStudies(), kinds: [...(await loadStudyTasks()).keys()] });
  return { ...study, use };
}

/** Finds problems of networks and measurements, which are checked once their variables have values. */
function* findEntryProblems(
  { networks, measurements }: StudyDescription,
  source: YamlSource,
  measurement: ZodType,
): Iterable<string> {
  for (const [name, repeated] of Object.entries(networks)) {
    for (const { entry } of unfold<object>({ name: `networks.${name}`, of: "study" }, repeated)) {
      yield* findProblems(networkSchemaOf(makerOf(entry)), entry, { source, at: ["networks", name] });
    }
  }
  for (const [name, repeated] of Object.entries(measurements)) {
    for (const { entry } of unfold<object>({ name: `measurements.${name}`, of: "study" }, repeated)) {
      yield* findProblems(measurement, entry, { source, at: ["measurements", name] });
    }
  }
}
