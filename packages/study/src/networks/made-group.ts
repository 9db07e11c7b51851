import { at, resolveFields } from "@isthmus/core";
import type { MadeNetwork, MakerExamples, MakerSubject, NetworkMaker } from "@isthmus/findings";
import type { BoundNetwork, DataSet } from "@isthmus/graph";
import { pathsOf } from "@isthmus/tasks";
import * as z from "zod";
import type { WantedValues } from "../description/wanted-values.ts";
import { NAMED_DATA } from "../file/entry-fields.ts";
import { shapeOfFields } from "../schema/zod-of-form.ts";
import type { StudyTaskKind, TaskData } from "../tasks/task-kind.ts";
import { TASK_DATA } from "../tasks/task-schema.ts";
import type { AnyGroupMaker, GroupMaker, StartSort } from "./group-maker.ts";
import { makingTask, type TaskMaking, WEIGHTS_FILE } from "./making-task.ts";
import { hasExamples, planMade } from "./plan-made.ts";

/**
 * An entry of a study whose networks a maker makes; its key names the group that they are made from. `P` are
 * the names of examples that the maker does without.
 */
export type MadeEntry<K extends string, M, P extends string = never> =
  M extends NetworkMaker<infer O, infer X>
    ? { readonly [key in K | Exclude<X, P>]: string } & { readonly [key in P]?: string } & {
        /** Choice of starts. */ readonly where?: WantedValues;
      } & O
    : never;

/** Keys by which entries of a study choose a maker, and the options that they must give. */
interface Choosing {
  /** Key by which entries choose it. @defaultValue the name of the maker */
  readonly key?: string;
  /**
   * A further key and its value, which choose one of several makers that have the same key. @defaultValue
   * none
   */
  readonly way?: readonly [key: string, value: string];
  /** Names of the options that an entry must give. @defaultValue none */
  readonly required?: readonly string[];
}

/** The groups of a study that a maker makes. */
export type MadeGroup<E extends object> = GroupMaker<StartSort, E, Readonly<Record<string, unknown>>>;

/** Parameters of a task: examples by their names and the options, or the options alone if there are none. */
type MadeParams = Readonly<Record<string, unknown>>;

/** Turns a maker into groups of a study: their schema, their tasks, and the way these are planned. */
export function groupsMadeBy<E extends object>(
  maker: NetworkMaker,
  { key, way, required = [] }: Choosing = {},
): MadeGroup<E> {
  const task = taskOf(maker);
  const beside = mapExamples(maker, ({ isOptional }) => (isOptional ? NAMED_DATA.optional() : NAMED_DATA));
  const groups: AnyGroupMaker = {
    key: key ?? maker.name,
    ...(way && { way }),
    from: maker.from === "network" ? "each" : "all",
    options: maker.options,
    required,
    beside,
    task,
    plan: (making) => planMade(maker, task, making),
  };
  return groups as unknown as MadeGroup<E>;
}

/** Makes a schema of the examples that a maker asks for. */
function mapExamples(
  { examples }: NetworkMaker,
  schemaOf: (asked: MakerExamples) => z.ZodType,
): z.ZodRawShape {
  return Object.fromEntries(Object.entries(examples).map(([name, asked]) => [name, schemaOf(asked)]));
}

/** Makes the kind of the tasks of a maker. */
function taskOf(maker: NetworkMaker): StudyTaskKind<MadeParams> {
  const { name, version, options: fields, attempt } = maker;
  const options = z.strictObject(shapeOfFields(fields, alwaysThere(maker)));
  const data = mapExamples(maker, ({ isOptional }) => (isOptional ? TASK_DATA.optional() : TASK_DATA));
  return makingTask<MadeParams>({
    name,
    version,
    params: hasExamples(maker) ? z.strictObject({ ...data, options }) : options,
    async make(making, params) {
      const chosen = hasExamples(maker) ? Object(params["options"]) : params;
      const { subject, restore } = await openStart(maker, making, params);
      const made = await maker.make(subject, resolveFields(attempt, fields, chosen), {
        signal: making.signal,
        report: (_, done) => {
          if (done !== undefined) making.onProgress(done);
        },
        resuming: making.resuming,
      });
      await making.save(WEIGHTS_FILE, restore(made.weights));
      return recordOf(made);
    },
  });
}

/** Lists the options that the parameters of a task always have. */
function alwaysThere({ options }: NetworkMaker): readonly string[] {
  return Object.entries(options).flatMap(([name, { default: missing, keyed = "always" }]) => {
    return missing !== undefined && keyed === "always" ? [name] : [];
  });
}

/** Opens the networks and the examples that the task of a maker starts from. */
async function openStart(
  { from, examples }: NetworkMaker,
  { inputs, open, openData }: TaskMaking,
  params: MadeParams,
): Promise<{ readonly subject: MakerSubject; readonly restore: BoundNetwork["restore"] }> {
  const { architecture, inputNames, networks } = await open(
    pathsOf(inputs, from === "network" ? "network" : "networks"),
  );
  const opened: Record<string, DataSet> = {};
  for (const name of Object.keys(examples)) {
    const data = params[name] as TaskData | undefined;
    if (data !== undefined) opened[name] = await openData(data.name, inputNames);
  }
  const { network, restore } = at(networks, 0, "network");
  const starts = from === "network" ? { network } : { networks: networks.map((bound) => bound.network) };
  return { subject: { ...starts, architecture, examples: opened }, restore };
}

/**
 * Returns the record of a network that tables read. It holds no paths, so that it is the same on any machine.
 */
function recordOf({ result }: MadeNetwork): object {
  return "network" in result ? { ...result, network: "network" } : result;
}
