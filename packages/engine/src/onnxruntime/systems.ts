/** Systems for which onnxruntime has a native library, as npm names them: `platform-arch`. */
const NATIVE_SYSTEMS: readonly string[] = [
  "linux-x64",
  "linux-arm64",
  "darwin-arm64",
  "win32-x64",
  "win32-arm64",
];

/** Package of the native library of this system, which npm installs with the engine if there is one. */
export const PLATFORM_PACKAGE: string = `@isthmus/onnxruntime-${process.platform}-${process.arch}`;

/** Says why this system has no native library; undefined if it has one. */
export function whyNoNative(): string | undefined {
  const system = `${process.platform}-${process.arch}`;
  if (!NATIVE_SYSTEMS.includes(system)) return `onnxruntime has no native library for ${system}`;
  if (process.platform !== "linux" || usesGlibc()) return undefined;
  return "the native library of onnxruntime needs glibc, which this system does not use";
}

/** Checks whether Node is built on glibc: Alpine, for example, has musl in its place. */
function usesGlibc(): boolean {
  const { header } = process.report.getReport() as {
    readonly header: { readonly glibcVersionRuntime?: string };
  };
  return header.glibcVersionRuntime !== undefined;
}
