import { z } from "zod";
import { WHERE } from "../file/entry-fields.ts";
import { shapeOfFields } from "../schema/zod-of-form.ts";
import type { StudyTaskKind } from "../tasks/task-kind.ts";
import { COLLECT } from "./collect.ts";
import type { AnyNetworkMaker } from "./network-maker.ts";
import { QUANTIZE } from "./quantize.ts";
import { SCATTER } from "./scatter.ts";
import { TUNE } from "./tune.ts";
import { TUNE_BY_CONNECTIVITY } from "./tune-by-connectivity.ts";

/**
 * Every way to make networks: entries of studies, their schemas and tasks are made of this list. The first whose
 * key an entry has is chosen.
 */
export const NETWORK_MAKERS: readonly AnyNetworkMaker[] = [
  TUNE_BY_CONNECTIVITY,
  TUNE,
  QUANTIZE,
  COLLECT,
  SCATTER,
];

/** Finds the way to make the networks of an entry, which its keys choose. */
export function makerOf(entry: object): AnyNetworkMaker | undefined {
  const values = new Map<string, unknown>(Object.entries(entry));
  const keyed = NETWORK_MAKERS.filter(({ key }) => values.has(key));
  return keyed.find(({ way }) => way === undefined || values.get(way[0]) === way[1]);
}

/** Makes the schema of the entries that a maker is chosen by, with values in place of their variables. */
export function networkSchemaOf(maker: AnyNetworkMaker): z.ZodObject {
  const { key, way = [], from, options, required, beside } = maker;
  const [wayKey, wayValue] = way;
  return z.strictObject({
    [key]: z.string(),
    ...(from !== "none" && { where: WHERE.optional() }),
    ...shapeOfFields(options, required),
    ...beside,
    ...(wayKey !== undefined && { [wayKey]: z.literal(wayValue) }),
  });
}

/** Lists the kinds of tasks that make networks, each once. */
export function listMakingTasks(): readonly StudyTaskKind[] {
  const tasks = NETWORK_MAKERS.flatMap(({ task }) => (task === undefined ? [] : [task]));
  return [...new Set(tasks)];
}
