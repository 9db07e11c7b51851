/** One axis of a figure. */
export interface Axis {
  /** Words along the axis, with the unit in brackets. */
  readonly label: string;
  /** Scale of the axis. @defaultValue "linear" */
  readonly scale?: "linear" | "log";
  /** Whether values in `[0, 1]` are shown as percent. */
  readonly percent?: boolean;
  /** Whether the axis includes zero even if all values are far from it. */
  readonly fromZero?: boolean;
  /** Ends of the axis. @defaultValue the ends of the data */
  readonly domain?: readonly [number, number];
  /** Names of the places 0, 1, 2, ... of an axis that has no numbers. */
  readonly names?: readonly string[];
  /** Whether values between whole numbers have no meaning, so that no tick stands there. */
  readonly whole?: boolean;
  /** Places of ticks. @defaultValue round numbers */
  readonly ticks?: readonly number[];
  /** Whether the words of a vertical axis stand along its middle, and not at its top as on other axes. */
  readonly beside?: boolean;
}
