import type { FieldsOf } from "@isthmus/core";
import type { Repeated, Variables, VariableValue } from "@isthmus/forms";
import type * as z from "zod";
import type { PlannedNetwork } from "../plan/planned-network.ts";
import type { Planner } from "../plan/planner.ts";
import type { StudyTaskKind } from "../tasks/task-kind.ts";

/** Networks that networks of a group are made from, by the way an entry uses them. */
export interface Starts {
  /** No network of the study. */
  readonly none: undefined;
  /** A network of another group: each that agrees with the entry gives networks of its own. */
  readonly each: PlannedNetwork;
  /** All networks of another group that agree with the entry, together. */
  readonly all: readonly PlannedNetwork[];
}

/** Way in which an entry uses networks of another group: not at all, each by itself, or all together. */
export type StartSort = keyof Starts;

/** Inputs of the plan for the networks that an entry makes from one start. */
export interface Making<S extends StartSort, E> {
  /** Name of the group, for messages. */
  readonly group: string;
  /** Values of the variables of the entry. */
  readonly variables: Variables;
  /** The entry, with values in place of its variables. */
  readonly entry: E;
  /** Networks that the new ones are made from: none, one, or all that agree with the entry. */
  readonly start: Starts[S];
  /** Number of the start among all starts of the entry, from 0. */
  readonly number: number;
  /** Planner that collects the tasks of the study. */
  readonly planner: Planner;
}

/** A variable that tells networks of one entry apart, with its values. */
export type MadeVariable = readonly [name: string, values: readonly VariableValue[]];

/**
 * A way to make the networks of a group of a study, in one place: which entries choose it, their schema, how
 * many networks they stand for, and the tasks that make them.
 * @typeParam S - way in which an entry uses the networks of another group
 * @typeParam E - an entry of a study
 * @typeParam O - the options among the keys of an entry
 */
export interface GroupMaker<S extends StartSort, E extends object, O extends object> {
  /** Key by which an entry chooses this way; its value names the group of the starts, if there are any. */
  readonly key: string;
  /**
   * A further key and its value, which choose one of several ways that have the same key. @defaultValue none
   */
  readonly way?: readonly [key: string, value: string];
  /** Way in which an entry uses networks of another group: `none`, `each` by itself, or `all` together. */
  readonly from: S;
  /** Its options, each once. */
  readonly options: FieldsOf<O>;
  /** Names of the options that an entry must give. @defaultValue none */
  readonly required?: readonly (keyof O & string)[];
  /** Schemas of the keys that name examples, and of other keys that have no field. @defaultValue none */
  readonly beside?: z.ZodRawShape;
  /** Kind of its tasks; undefined if its networks need no task. */
  readonly task: StudyTaskKind | undefined;
  /**
   * Lists the values of the variable that tells the networks of one entry apart, before the variables of the
   * entry have values; they may be estimates. Returns undefined if an entry stands for one network.
   * @defaultValue an entry stands for one network
   */
  made?(entry: Repeated<E>): MadeVariable | undefined;
  /** Plans the networks that are made from one start. */
  plan(making: Making<S, E>): Promise<readonly PlannedNetwork[]>;
}

/** Any maker of networks. */
export type AnyGroupMaker = GroupMaker<StartSort, object, Readonly<Record<string, unknown>>>;

/** Entry of a study that chooses a way to make networks. */
export type EntryOfGroup<M> = M extends GroupMaker<infer _S, infer E, infer _O> ? E : never;
