import type { BARRIER } from "@isthmus/barrier";
import type { Repeated, VariableValue } from "@isthmus/forms";
import type { DeviceName } from "@isthmus/graph";
import type { BuiltInEntry, EntryOf } from "../measurement/entry.ts";
import type { NetworkDescription } from "../networks/makers.ts";
import type { MergeMeasurement } from "./merge-measurement.ts";
import type { FigureDescription, TableDescription } from "./table-description.ts";

/** The barrier between networks; options that are missing have the defaults of `measureBarrier`. */
export type BarrierMeasurement = EntryOf<typeof BARRIER>;

/** An entry of a study that describes a measurement. */
export type MeasurementDescription = BuiltInEntry | BarrierMeasurement | MergeMeasurement;

type RepeatedOf<T> = T extends object ? Repeated<T> : never;

/** A group of networks. */
export type RepeatedNetwork = RepeatedOf<NetworkDescription>;

/**
 * A study as plain data: networks to train or load, measurements of them, and the tables and figures to show.
 */
export interface StudyDescription {
  /** Heading of the study, on its page and in its result. */
  readonly title: string;
  /** Subject and purpose of the study, for its page. @defaultValue none */
  readonly description?: string;
  /**
   * Files of measurements of one's own. `readStudy` alone loads them, from the folder of the study's file;
   * here they are absolute paths, and nothing loads them. @defaultValue none
   */
  readonly use?: readonly string[];
  /**
   * Values that some variables have, if this is a part of a study with no others, see `restrictStudy`;
   * missing for a whole study.
   */
  readonly only?: Readonly<Record<string, readonly VariableValue[]>>;
  /**
   * Device that computes, see {@link DeviceName}, for the command `isthmus study`; a script names that of its
   * threads or workers itself. @defaultValue "cpu"
   */
  readonly device?: DeviceName;
  /** Seed of all random choices of measurements. @defaultValue 0 */
  readonly seed?: number;
  /** Groups of networks by name; a group that is made from another one must come after it. */
  readonly networks: Readonly<Record<string, RepeatedNetwork>>;
  /** Measurements by name; each entry stands for one measurement for every combination of its variables. */
  readonly measurements: Readonly<Record<string, Repeated<MeasurementDescription>>>;
  /** Tables by name, in the order in which they are shown. */
  readonly tables: Readonly<Record<string, TableDescription>>;
  /** Figures in the order in which they are shown. @defaultValue none */
  readonly figures?: readonly FigureDescription[];
}
