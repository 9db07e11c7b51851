/** The command that made a result. */
export interface Provenance {
  readonly command: string;
  /** Of the software. */
  readonly version: string;
  /** Data whose bytes were fed, and how they were scaled. @defaultValue none */
  readonly data?: readonly FedData[] | undefined;
}

/** Data whose bytes were fed to networks as `(byte / 255 - mean) / std`. */
export interface FedData {
  readonly name: string;
  /** For all channels, or one for each. */
  readonly mean: number | readonly number[];
  readonly std: number | readonly number[];
}
