import { rm } from "node:fs/promises";
import { join } from "node:path";
import { resolveFields } from "@isthmus/core";
import type { AnyMeasurement, Control, MeasuredResult, SubjectName } from "@isthmus/findings";
import { takesParams, text } from "@isthmus/forms";
import type { TaskContext } from "@isthmus/tasks";
import { z } from "zod";
import { MEASURED_LOSS } from "../schema/measured-loss.ts";
import type { StudyTaskKind } from "../tasks/task-kind.ts";
import { TASK_DATA } from "../tasks/task-schema.ts";
import { ATTACK_PARAMS } from "./attack-selection.ts";
import { ENSEMBLE_PARAMS } from "./ensemble-selection.ts";
import type { MeasurementParams } from "./open-shared.ts";
import { openSubject } from "./open-subject.ts";
import { fromTaskOptions, taskShapeOf } from "./training-params.ts";

/** Makes the kind of the tasks of a measurement. */
export function measurementTask(measurement: AnyMeasurement): StudyTaskKind<MeasurementParams> {
  const { kind, task = kind, version, subject, options, examplesBeside = {}, journal, trains } = measurement;
  const beside = Object.values(examplesBeside).map(({ param }) => [param, TASK_DATA.optional()] as const);
  const schema = z.strictObject({
    ...(subject === "pair-on-sets" ? SETS_PARAMS : { data: TASK_DATA }),
    ...(trains === undefined && MEASURED_LOSS),
    statisticsData: TASK_DATA.optional(),
    ...Object.fromEntries(beside),
    ...SUBJECT_PARAMS[subject],
    options: z.strictObject(taskShapeOf(measurement)),
  });
  return {
    name: task,
    version,
    ...takesParams(task, schema as z.ZodType as z.ZodType<MeasurementParams>),
    run: (ports, params, inputs) =>
      openSubject({ measurement, ports, params, inputs }, async (opened) => {
        const journalPath = journal && join(ports.folder, journal.file);
        const resolved = resolveFields(
          `run "${kind}"`,
          options,
          fromTaskOptions(measurement, params.options),
        );
        const result = await measurement.run(opened, resolved, controlOf(ports, journalPath));
        if (journalPath !== undefined) await rm(journalPath, { recursive: true, force: true });
        return recordOf(measurement, result);
      }),
  };
}

/** Parameters that name several sets of examples in place of one. */
const SETS_PARAMS = { sets: z.array(z.strictObject({ name: text, data: TASK_DATA })).min(1) };

/** Parameters that say which subject a task measures, beside its files and its examples. */
const SUBJECT_PARAMS: Readonly<Partial<Record<SubjectName, z.ZodRawShape>>> = {
  ensemble: ENSEMBLE_PARAMS,
  attack: ATTACK_PARAMS,
};

/** Returns what tables read of a result: no paths of networks, as a result is the same anywhere. */
function recordOf(measurement: AnyMeasurement, result: MeasuredResult): object {
  const record = measurement.recordOf?.(result) ?? result;
  const paths = PATH_KEYS[measurement.subject];
  return Object.fromEntries(Object.entries(record).filter(([name]) => !paths?.includes(name)));
}

/** Keys of results that have paths of networks; other sorts of subjects have numbers in their place. */
const PATH_KEYS: Readonly<Partial<Record<SubjectName, readonly string[]>>> = {
  network: ["network"],
  pair: ["a", "b"],
  "pair-on-sets": ["a", "b"],
  "unlike-pair": ["a", "b"],
  networks: ["networks"],
};

function controlOf({ signal, onProgress }: TaskContext, journalPath: string | undefined): Control {
  return {
    signal,
    journalPath,
    report: (_, done) => {
      if (done !== undefined) onProgress(done);
    },
    saveNetwork: undefined,
    onPart: () => {},
  };
}
