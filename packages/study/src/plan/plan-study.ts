import { BARRIER } from "@isthmus/barrier";
import { entry, InputError } from "@isthmus/core";
import { unfold } from "@isthmus/forms";
import { loadMeasurement } from "@isthmus/measurements";
import type { Task } from "@isthmus/tasks";
import { assertStudySize } from "../description/assert-study-size.ts";
import type {
  MeasurementDescription,
  RepeatedNetwork,
  StudyDescription,
} from "../description/study-description.ts";
import type { ColumnSource, FigureDescription, TableDescription } from "../description/table-description.ts";
import type { WantedValues } from "../description/wanted-values.ts";
import type { AnyEntry } from "../measurement/subject-form.ts";
import { SUBJECT_FORMS } from "../measurement/subject-forms.ts";
import type { AnyGroupMaker, Making, StartSort, Starts } from "../networks/group-maker.ts";
import { makerOf, type NetworkDescription } from "../networks/makers.ts";
import { findExporters } from "./find-exporters.ts";
import { planMerge } from "./plan-merge.ts";
import type { MeasurementContext, PlannedMeasurement } from "./planned-measurement.ts";
import type { PlannedNetwork } from "./planned-network.ts";
import { Planner, type PlanPorts } from "./planner.ts";
import { agree, fulfils, networksOf, type PlannedGroups, selectStarts } from "./select-networks.ts";

/** Plan of a study: all its tasks and their results. */
export interface StudyPlan {
  /** Tasks of the study, each once and after the tasks it depends on. */
  readonly tasks: readonly Task[];
  /** Results that tables are made of, by name of the measurement. */
  readonly measurements: Readonly<Record<string, readonly PlannedMeasurement[]>>;
}

/**
 * Plans a study: turns its description into tasks, whose keys say all that their results depend on. A change
 * of the description changes the keys of the tasks that depend on it, and no others; the order of keys in the
 * description changes none.
 * | Examples are opened and read once, and networks are built, so that data that do not fit their networks
 * are found before anything is run.
 * @throws InputError if the description contradicts itself, names something that does not exist, is of more
 *   than a study may have, or data do not fit
 * @throws MismatchError, FormatError or OutOfRangeError from the files and data that it names
 */
export async function planStudy(description: StudyDescription, ports: PlanPorts): Promise<StudyPlan> {
  assertStudySize(description);
  const planner = new Planner(ports, description.seed ?? 0);
  const groups = new Map<string, readonly PlannedNetwork[]>();
  for (const [name, repeated] of Object.entries(description.networks)) {
    groups.set(name, await planNetworks(name, repeated, { groups, planner }));
  }
  const measurements: Record<string, readonly PlannedMeasurement[]> = {};
  for (const [name, repeated] of Object.entries(description.measurements)) {
    const planned: PlannedMeasurement[] = [];
    for (const { variables, entry } of unfold<MeasurementDescription>(
      { name: `measurements.${name}`, of: "study" },
      repeated,
    )) {
      planned.push(...(await planMeasurement(entry, { variables, groups, planner })));
    }
    measurements[name] = planned;
  }
  assertTables(description, measurements);
  return { tasks: planner.tasks, measurements };
}

/** Groups that are planned already, and the planner that collects tasks. */
interface Planning {
  readonly groups: PlannedGroups;
  readonly planner: Planner;
}

/**
 * Plans all networks of a group.
 * @throws InputError if a network cannot be built for its data, a file is missing, or a star has no anchors
 */
async function planNetworks(
  group: string,
  repeated: RepeatedNetwork,
  { groups, planner }: Planning,
): Promise<readonly PlannedNetwork[]> {
  const networks: PlannedNetwork[] = [];
  const entries = unfold<NetworkDescription>({ name: `networks.${group}`, of: "study" }, repeated);
  for (const { variables, entry } of entries) {
    const maker = makerOf(entry);
    for (const [number, start] of startsOf(maker, { group, variables, entry }, groups).entries())
      networks.push(...(await maker.plan({ group, variables, entry, start, number, planner })));
  }
  return findExporters(networks);
}

/** Selects the starts of the networks of an entry: one network at a time, or all of them together. */
function startsOf(
  { key, from }: AnyGroupMaker,
  { group, variables, entry }: Pick<Making<StartSort, object>, "group" | "variables" | "entry">,
  groups: PlannedGroups,
): readonly Starts[StartSort][] {
  if (from === "none") return [undefined];
  const { [key]: name, where } = entry as { readonly [key: string]: unknown; readonly where?: WantedValues };
  if (from === "each") return selectStarts(group, groups, { from: String(name), where, variables });
  const isStart = (network: PlannedNetwork) =>
    agree(variables, network.variables) && fulfils((variable) => network.variables[variable], where ?? {});
  return [networksOf(groups, String(name)).filter(isStart)];
}

/**
 * Plans the tasks of a measurement: one for each subject that its entry selects, or the tasks that merge
 * networks.
 * @throws InputError if its kind is not known, it selects nothing, or the data do not fit the networks
 */
async function planMeasurement(
  description: MeasurementDescription,
  context: MeasurementContext,
): Promise<readonly PlannedMeasurement[]> {
  if (description.kind === "merge") return planMerge(description, context);
  const measurement = description.kind === "barrier" ? BARRIER : await loadMeasurement(description.kind);
  if (measurement === undefined) {
    throw new InputError(
      `Cannot plan the study as the kind of a measurement must be known: "${description.kind}" is not; if it is one of your own, add its file to "use"`,
      { input: description.kind },
    );
  }
  const { kind, task: name = kind, version, subject } = measurement;
  const measured = description as AnyEntry;
  const examples = "sets" in measured ? Object.keys(measured.sets).join(", ") : measured.data;
  return SUBJECT_FORMS[subject].plan({
    measurement,
    task: { name, version },
    entry: measured,
    on: examples === undefined ? "" : `, ${examples}`,
    context,
  });
}

/** Lists the results that a table is made of, with the name of their measurement as a variable. */
export function measuredFor(
  { of }: TableDescription,
  measurements: Readonly<Record<string, readonly PlannedMeasurement[]>>,
): readonly PlannedMeasurement[] {
  const planned = new Map(Object.entries(measurements));
  return [of].flat().flatMap((measurement) =>
    entry(planned, measurement, "measurement").map(({ variables, task }) => {
      return { variables: { ...variables, measurement }, task };
    }),
  );
}

/**
 * Checks, before anything is run, that tables and figures name measurements, variables and columns that will
 * exist. Paths into results are checked when they are followed.
 * @throws InputError if one of these will not exist
 */
function assertTables(
  { tables, figures = [] }: StudyDescription,
  measurements: Readonly<Record<string, readonly PlannedMeasurement[]>>,
): void {
  for (const [name, table] of Object.entries(tables)) {
    for (const measurement of [table.of].flat()) {
      assertOneOf(`make table "${name}"`, "its measurement", measurement, Object.keys(measurements));
    }
    assertVariables(name, table, measuredFor(table, measurements));
    assertColumns(name, table);
  }
  for (const figure of figures) assertFigure(figure, tables);
}

function assertFigure(
  { title, table, mark, x, y, low, high, spread, series, color, borders = [] }: FigureDescription,
  tables: StudyDescription["tables"],
): void {
  assertOneOf(`draw "${title}"`, "its table", table, Object.keys(tables));
  const columns = Object.keys(tables[table]?.columns ?? {});
  for (const column of [x, y, low, high, series, color, ...borders.map(({ of }) => of)]) {
    if (column !== undefined) assertOneOf(`draw "${title}"`, "a column", column, columns);
  }
  if (spread !== undefined && (low !== undefined || high !== undefined || mark === "heat")) {
    throw new InputError(
      `Cannot draw "${title}" as its spread must be its only interval, of lines, bars or dots: it has ${mark === "heat" ? "the mark heat" : "low or high, too"}`,
      { input: title },
    );
  }
  if (spread !== undefined && !isMean(tables[table], y)) {
    throw new InputError(
      `Cannot draw "${title}" as a spread must be around a column that is a mean: "${y}" is none`,
      { input: title },
    );
  }
  if (mark === "heat" && color === undefined) {
    throw new InputError(
      `Cannot draw "${title}" as a heat map must have a "color", the column that its cells show: it has none`,
      { input: title },
    );
  }
  if (mark !== "heat" && color !== undefined) {
    throw new InputError(`Cannot draw "${title}" as only heat maps have a "color": its mark is ${mark}`, {
      input: title,
    });
  }
}

/** Checks whether a column of a table is the mean of results, in some row at least. */
function isMean(table: TableDescription | undefined, key: string): boolean {
  const parts = Object.values(table?.stack?.parts ?? {}).map((part) => part[key]);
  return [table?.columns[key], ...parts].some((source) => source?.mean !== undefined);
}

function assertVariables(
  name: string,
  { by, each, where = {} }: TableDescription,
  measured: readonly PlannedMeasurement[],
): void {
  // Fields of results count as variables where each of a list is one: they are not known yet.
  if (each !== undefined) return;
  for (const { variables } of measured) {
    for (const variable of [...by, ...[where].flat().flatMap(Object.keys)]) {
      assertOneOf(`make table "${name}"`, "a variable", variable, Object.keys(variables));
    }
  }
}

function assertColumns(name: string, { columns, by, stack }: TableDescription): void {
  const keys = Object.keys(columns);
  if (stack !== undefined) assertOneOf(`make table "${name}"`, "the column of its stack", stack.column, keys);
  for (const [label, sources] of Object.entries(stack?.parts ?? { "": {} })) {
    for (const key of Object.keys(sources))
      assertOneOf(`make table "${name}"`, `a column of "${label}"`, key, keys);
    for (const [key, column] of Object.entries(columns)) {
      const source: ColumnSource = { ...column, ...sources[key] };
      if (key !== stack?.column) assertSource({ table: name, key, by, keys }, source);
    }
  }
}

interface ColumnPlace {
  readonly table: string;
  readonly key: string;
  readonly by: readonly string[];
  /** Keys of all columns of the table. */
  readonly keys: readonly string[];
}

function assertSource({ table, key, by, keys }: ColumnPlace, source: ColumnSource): void {
  const { variable, mean, std, min, max, low, high, count, ratio, lookup } = source;
  const sources = [variable, mean, std, min, max, low, high, count, ratio, lookup].filter(
    (value) => value !== undefined,
  );
  if (sources.length > 1) {
    throw new InputError(
      `Cannot make table "${table}" as a column must have one source: "${key}" has ${sources.length}`,
      { input: key },
    );
  }
  for (const column of ratio ?? [])
    assertOneOf(`make table "${table}"`, `a column of the ratio "${key}"`, column, keys);
  const shown = sources.length === 0 ? key : (variable ?? lookup?.variable);
  if (shown !== undefined) {
    assertOneOf(
      `make table "${table}"`,
      `what column "${key}" shows, without mean, min or the like,`,
      shown,
      by,
    );
  }
}

function assertOneOf(attempt: string, what: string, name: string, names: readonly string[]): void {
  if (names.includes(name)) return;
  throw new InputError(
    `Cannot ${attempt} as ${what} must be one of ${names.join(", ") || "none"}: it is "${name}"`,
    {
      input: name,
    },
  );
}
