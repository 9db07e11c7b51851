import { resolveFields } from "@isthmus/core";
import type { AnyMeasurement, Control } from "@isthmus/findings";
import { takesParams } from "@isthmus/forms";
import { join, rm } from "@isthmus/platform";
import type { TaskContext } from "@isthmus/tasks";
import * as z from "zod";
import { MEASURED_LOSS } from "../schema/measured-loss.ts";
import type { StudyTaskKind } from "../tasks/task-kind.ts";
import { TASK_DATA } from "../tasks/task-schema.ts";
import { fromTaskParams, taskShapeOf } from "./entry-params.ts";
import type { MeasurementParams } from "./open-shared.ts";
import { SUBJECT_FORMS } from "./subject-forms.ts";
import { trainingParams } from "./subjects/training.ts";

/** Makes the kind of the tasks of a measurement. */
export function measurementTask(measurement: AnyMeasurement): StudyTaskKind<MeasurementParams> {
  const { kind, task = kind, version, options, examplesBeside = {}, journal, trains } = measurement;
  const subject = SUBJECT_FORMS[measurement.subject];
  const beside = Object.values(examplesBeside).map(({ param }) => [param, TASK_DATA.optional()] as const);
  const schema = z.strictObject({
    ...subject.params,
    ...(trains === undefined && !subject.isOfWeights && MEASURED_LOSS),
    ...(measurement.training && trainingParams(measurement.training, options)),
    statisticsData: TASK_DATA.optional(),
    ...Object.fromEntries(beside),
    options: z.strictObject(taskShapeOf(measurement)),
  });
  return {
    name: task,
    version,
    ...takesParams(task, schema as z.ZodType as z.ZodType<MeasurementParams>),
    run: (ports, params, inputs) =>
      subject.open({ measurement, ports, params, inputs }, async (opened) => {
        const journalPath = journal && join(ports.folder, journal.file);
        const resolved = resolveFields(`run "${kind}"`, options, fromTaskParams(measurement, params));
        const result = await measurement.run(opened, resolved, controlOf(ports, journalPath));
        if (journalPath !== undefined) await rm(journalPath, { recursive: true, force: true });
        const record = Object.entries(measurement.recordOf?.(result) ?? result);
        return Object.fromEntries(record.filter(([name]) => !subject.paths.includes(name)));
      }),
  };
}

function controlOf({ signal, onProgress }: TaskContext, journalPath: string | undefined): Control {
  return {
    signal,
    journalPath,
    report: (_, done) => {
      if (done !== undefined) onProgress(done);
    },
    saveNetwork: undefined,
    onPart: () => {},
    measurePairs: undefined,
  };
}
