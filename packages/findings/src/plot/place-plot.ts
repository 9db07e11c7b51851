/** Points of one sort. */
export interface PlaceSeries {
  /** Name of the series in the legend. */
  readonly label: string;
  /** Points with their names and coordinates. */
  readonly points: readonly { readonly name: string; readonly x: number; readonly y: number }[];
}

/** Points in the plane around the origin, with one scale on both axes. */
export interface PlacePlot {
  /** Kind of the plot. */
  readonly kind: "places";
  /** Series, each with a symbol of its own; at least one of them has a point. */
  readonly series: readonly PlaceSeries[];
  /** Half of the width and the height of the picture, in values: the origin is in the middle. */
  readonly radius: number;
  /** Words along both axes. */
  readonly label: string;
}
