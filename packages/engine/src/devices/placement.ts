/** The places where the nodes of a graph ran, counted in its first run. */
export interface Placement {
  /** Name of the graph. */
  readonly graph: string;
  /** Number of nodes that ran on the device. */
  readonly onDevice: number;
  /** Number of nodes that ran on the processor, by operator; these include copies from place to place. */
  readonly onProcessor: ReadonlyMap<string, number>;
}

/** A function that is called with the placement of each graph after its first run. */
export type FollowPlacement = (placement: Placement) => void;
