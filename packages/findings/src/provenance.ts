/** The command that made a result. */
export interface Provenance {
  readonly command: string;
  /** Version of the software. */
  readonly version: string;
  /** Data whose bytes were fed to networks, with their scales. @defaultValue none */
  readonly data?: readonly FedData[] | undefined;
}

/** Data whose bytes were fed to networks as `(byte / 255 - mean) / std`. */
export interface FedData {
  readonly name: string;
  /** Mean for all channels, or one for each. */
  readonly mean: number | readonly number[];
  readonly std: number | readonly number[];
}
