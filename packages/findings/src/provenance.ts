/** The command that made a result. */
export interface Provenance {
  /** Command line as the user typed it. */
  readonly command: string;
  /** Version of the software. */
  readonly version: string;
  /** Data whose bytes were fed to networks, with their scales. @defaultValue none */
  readonly data?: readonly FedData[] | undefined;
}

/** Data whose bytes were fed to networks as `(byte / 255 - mean) / std`. */
export interface FedData {
  /** Name of the data, such as `mnist`. */
  readonly name: string;
  /** Mean for all channels, or one for each. */
  readonly mean: number | readonly number[];
  /** Standard deviation for all channels, or one for each. */
  readonly std: number | readonly number[];
}
