import type { AnyMeasurement, SubjectName, Subjects } from "@isthmus/findings";
import type * as z from "zod";
import type { MeasurementContext, PlannedMeasurement } from "../plan/planned-measurement.ts";
import type { KeyedKind } from "../plan/planner.ts";
import type { MeasuredLoss } from "../schema/measured-loss.ts";
import type { Opening } from "./open-shared.ts";

/** Names of the examples that an entry measures on: one set, several with names of their own, or none. */
type NamedExamples = { readonly data?: string } | { readonly sets: Readonly<Record<string, string>> };

/** An entry of any measurement: its subjects and its options are further keys. */
export type AnyEntry = NamedExamples &
  MeasuredLoss & { readonly kind: string; readonly batchSize?: number | undefined };

/** An entry of a study with everything that its tasks are planned with. */
export interface PlannedEntry<Selection extends object = object> {
  /** Measurement that the entry asks for. */
  readonly measurement: AnyMeasurement;
  /** Kind of the tasks of the measurement. */
  readonly task: KeyedKind;
  /** Entry with values in place of its variables. */
  readonly entry: AnyEntry & Selection;
  /**
   * End of the labels of the tasks, which names the examples, such as `, mnist:test`; empty if there are
   * none.
   */
  readonly on: string;
  /** Variables, networks and planner of the study. */
  readonly context: MeasurementContext;
}

/** Way in which entries of studies select a sort of subject, and tasks name and open it. */
export interface SubjectForm<
  S extends SubjectName,
  Selection extends object,
  Params extends object = object,
> {
  /** Keys of an entry that select subjects and their examples; its other keys are options. */
  readonly selection: z.ZodRawShape;
  /** Parameters of a task that name its examples and its subject; files are its inputs. */
  readonly params: z.ZodRawShape;
  /** Whether weights alone are read, so that nothing is scored by a loss. @defaultValue false */
  readonly isOfWeights?: true;
  /**
   * Keys of a result that hold paths of networks: tasks leave them out, so that a result is the same on any
   * machine.
   */
  readonly paths: readonly string[];
  /**
   * Plans a task for each subject that an entry selects.
   * @throws InputError if it selects none, or the data do not fit the networks
   */
  plan(planned: PlannedEntry<Selection>): Promise<readonly PlannedMeasurement[]>;
  /** Opens the subject of a task, works with it, and closes it. */
  open<T>(opening: Opening<Params>, work: (subject: Subjects[S]) => Promise<T>): Promise<T>;
}

/** Way in which studies select and open a subject of any sort. */
export type AnySubjectForm = SubjectForm<SubjectName, object>;
