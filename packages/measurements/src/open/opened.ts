import type { AnyMeasurement, SubjectName, Subjects } from "@isthmus/findings";
import type { BindingSummary, BoundNetwork } from "@isthmus/graph";
import type { AlignedNetwork } from "@isthmus/weight-matching";
import type { DataContext, ExampleNames } from "@isthmus/zoo";

/** Facts about how a subject was opened. */
export interface OpenedFacts {
  /** Options of the measurement that follow from how the subject was opened. @defaultValue none do */
  readonly implied?: Readonly<Record<string, unknown>>;
  /** Paths of all files that were read. */
  readonly files: readonly string[];
  /** Sources of the weights of the graph. @defaultValue weights alone were read */
  readonly binding?: BindingSummary | undefined;
  /** Summary of the alignment of the second network. @defaultValue nothing was aligned by its weights */
  readonly alignment?: AlignedNetwork["summary"] | undefined;
  /** Gives the tensors of a network the names in the files. @defaultValue they have these already */
  readonly restore?: BoundNetwork["restore"];
  /**
   * Names of the examples, and the demands of the architecture on them, by which other processes open them
   * again. @defaultValue no other process opens this sort of subject
   */
  readonly named?: { readonly names: ExampleNames; readonly context: DataContext };
}

/** An opened subject of a measurement, with facts about how it was opened. */
export interface Opened<S extends SubjectName = SubjectName> extends OpenedFacts {
  /** Networks, examples and engine in the form that the measurement takes. */
  readonly subject: Subjects[S];
}

/** Measurement whose subject is opened, the files of its networks, and options for opening it. */
export interface OpenRequest<Options extends object> {
  /** Measurement that is to run on the subject. */
  readonly measurement: AnyMeasurement;
  /** Paths of the checkpoints, in the order in which the measurement names them. */
  readonly paths: readonly string[];
  /** Names of the graph and the examples, and settings of the opening. */
  readonly options: Options;
}
