/** Names of the packages that bring onnxruntime, in which each system finds its own. */
export const RUNTIME_PACKAGES: readonly string[];

/** Name of the package with the native library of this machine, whether or not there is one. */
export const PLATFORM_PACKAGE: string;

/** What npm reads of a package that brings onnxruntime. */
export interface RuntimeManifest {
  readonly name: string;
  readonly version: string;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
}

export function describeManifest(name: string): RuntimeManifest;

export function runtimeDependencies(): Readonly<Record<string, string>>;

export function makeForThisMachine(folder: string): Promise<ReadonlyMap<string, string>>;
