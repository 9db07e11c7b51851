import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type Checkpoint, resolveFields } from "@isthmus/core";
import type { AnyMeasurement, Control, MeasuredResult, SubjectName, Subjects } from "@isthmus/findings";
import { takesParams } from "@isthmus/forms";
import type { DataSet } from "@isthmus/graph";
import { discoverSymmetries, type Symmetries } from "@isthmus/symmetry";
import type { TaskContext, TaskPaths } from "@isthmus/tasks";
import { z } from "zod";
import { shapeOfFields } from "../schema/zod-of-form.ts";
import { withNetwork } from "../tasks/open-networks.ts";
import { openPair } from "../tasks/open-pair.ts";
import type { StudyPorts, StudyTaskKind, TaskData } from "../tasks/task-kind.ts";
import { TASK_DATA } from "../tasks/task-schema.ts";

/** Parameters of a task that measures; further examples are beside the ones to measure on. */
export interface MeasurementParams {
  readonly data: TaskData;
  readonly statisticsData?: TaskData;
  /** Further examples, by the names that the measurement has for them. */
  readonly [beside: string]: TaskData | object | undefined;
  readonly options: Readonly<Record<string, unknown>>;
}

/** Makes the kind of the tasks of a measurement. */
export function measurementTask(measurement: AnyMeasurement): StudyTaskKind<MeasurementParams> {
  const { kind, version, options, examplesBeside = {}, journal } = measurement;
  const beside = Object.values(examplesBeside).map(({ param }) => [param, TASK_DATA.optional()] as const);
  const schema = z.strictObject({
    data: TASK_DATA,
    statisticsData: TASK_DATA.optional(),
    ...Object.fromEntries(beside),
    options: z.strictObject(shapeOfFields(options)),
  });
  return {
    name: kind,
    version,
    ...takesParams(kind, schema as z.ZodType as z.ZodType<MeasurementParams>),
    run: (ports, params, inputs) =>
      openSubject(measurement, { ports, params, inputs }, async (subject) => {
        const journalPath = journal && join(ports.folder, journal.file);
        const resolved = resolveFields(`run "${kind}"`, options, params.options);
        const result = await measurement.run(subject, resolved, controlOf(ports, journalPath));
        if (journalPath !== undefined) await rm(journalPath, { force: true });
        return recordOf(measurement, result);
      }),
  };
}

/** Returns what tables read of a result: no paths of networks, as a result is the same anywhere. */
function recordOf(measurement: AnyMeasurement, result: MeasuredResult): object {
  const record = measurement.recordOf?.(result) ?? result;
  const paths = PATH_KEYS[measurement.subject];
  return Object.fromEntries(Object.entries(record).filter(([name]) => !paths.includes(name)));
}

const PATH_KEYS: Readonly<Record<SubjectName, readonly string[]>> = {
  network: ["network"],
  pair: ["a", "b"],
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

interface Opening {
  readonly ports: TaskContext & StudyPorts;
  readonly params: MeasurementParams;
  readonly inputs: TaskPaths;
}

/** Opens the subject of a task, works with it, and closes it. */
async function openSubject<T>(
  { subject, examplesBeside = {} }: AnyMeasurement,
  { ports, params, inputs }: Opening,
  work: (subject: Subjects[SubjectName]) => Promise<T>,
): Promise<T> {
  const { engine, openData, signal } = ports;
  const open = (inputNames: readonly string[]) => async (data: TaskData) => openData(data.name, inputNames);
  const shared = async (graph: Subjects["network"]["graph"]) => {
    const openExamples = open(graph.inputs.map(({ name }) => name));
    const beside = new Map<string, DataSet>();
    for (const [name, { param }] of Object.entries(examplesBeside)) {
      const data = params[param];
      if (data !== undefined) beside.set(name, await openExamples(data as TaskData));
    }
    let symmetries: Promise<Symmetries> | undefined;
    return {
      ...{ graph, engine, beside, data: await openExamples(params.data) },
      statisticsData: params.statisticsData && (await openExamples(params.statisticsData)),
      symmetries: () => {
        symmetries ??= discoverSymmetries({ graph, engine }, { signal });
        return symmetries;
      },
    };
  };
  if (subject === "pair" || subject === "unlike-pair") {
    const pair = await openPair(inputs, engine, signal);
    try {
      const { graph, a, b } = pair.networks;
      const opened = await shared(graph);
      if (subject === "pair") return await work({ ...opened, a, b, unaligned: b });
      const withArchitecture = (network: Checkpoint) => ({ graph, engine, network });
      return await work({ ...opened, a: withArchitecture(a), b: withArchitecture(b) });
    } finally {
      await pair.close();
    }
  }
  return withNetwork(inputs, engine, async ({ architecture: { graph }, network }) =>
    work({ ...(await shared(graph)), network }),
  );
}
