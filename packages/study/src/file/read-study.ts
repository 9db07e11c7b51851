import { findProblems, readYamlFile, rejectProblems, unfold, type YamlSource } from "@isthmus/forms";
import type { ZodType } from "zod";
import { assertStudySize } from "../description/assert-study-size.ts";
import type { RepeatedNetwork, StudyDescription } from "../description/study-description.ts";
import { loadMeasurementSchema } from "./measurement-schema.ts";
import {
  COLLECTED_NETWORK,
  CONNECTIVITY_TUNED_NETWORK,
  LOADED_NETWORK,
  PRUNED_NETWORK,
  QUANTIZED_NETWORK,
  SCATTERED_NETWORK,
  STAR_NETWORK,
  TICKET_NETWORK,
  TRAINED_NETWORK,
  TUNED_NETWORK,
} from "./network-schema.ts";
import { STUDY } from "./study-schema.ts";

/**
 * Reads a study from a YAML file.
 * @throws InputError if it cannot be read, is not of the form of a study, or describes more than a study may
 *   have; the message names the lines
 * @throws FormatError if it is not YAML
 */
export async function readStudy(path: string): Promise<StudyDescription> {
  const { name, source, value } = await readYamlFile(path, "study");
  rejectProblems("study", name, findProblems(STUDY, value, { source }));
  const study = value as StudyDescription;
  assertStudySize(study);
  const measurement = await loadMeasurementSchema();
  rejectProblems("study", name, [...new Set(findEntryProblems(study, source, measurement))]);
  return study;
}

/** Finds problems of networks and measurements, which are checked once their variables have values. */
function* findEntryProblems(
  { networks, measurements }: StudyDescription,
  source: YamlSource,
  measurement: ZodType,
): Iterable<string> {
  for (const [name, repeated] of Object.entries(networks)) {
    for (const { entry } of unfold<object>({ name: `networks.${name}`, of: "study" }, repeated)) {
      yield* findProblems(schemaOf(repeated), entry, { source, at: ["networks", name] });
    }
  }
  for (const [name, repeated] of Object.entries(measurements)) {
    for (const { entry } of unfold<object>({ name: `measurements.${name}`, of: "study" }, repeated)) {
      yield* findProblems(measurement, entry, { source, at: ["measurements", name] });
    }
  }
}

function schemaOf(network: RepeatedNetwork): ZodType {
  if ("star" in network) return STAR_NETWORK;
  if ("tune" in network) return network.method === "cbft" ? CONNECTIVITY_TUNED_NETWORK : TUNED_NETWORK;
  if ("prune" in network) return PRUNED_NETWORK;
  if ("tickets" in network) return TICKET_NETWORK;
  if ("quantize" in network) return QUANTIZED_NETWORK;
  if ("collect" in network) return COLLECTED_NETWORK;
  if ("scatter" in network) return SCATTERED_NETWORK;
  return "net" in network ? TRAINED_NETWORK : LOADED_NETWORK;
}
